"""A landed text file that is written otherwise than its contract says is refused as a file, with the cause."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations.contract import TableContract
from expectations.errors import SourceError
from expectations.lake import Table
from expectations.ledger import Verdict
from expectations.storage import Place
from spark_jobs.lake.dialect import Unparsed, broken_record, fault, has_odd_quotes, other_format, require_dialect, suspects

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

CONTRACT = {
    "contract": 1,
    "description": "Sales as they arrive.",
    "source": {"folder": "sales", "format": "csv"},
    "columns": {"sold_on": {"type": "date"}, "item": {"type": "string"}, "cents": {"type": "int"}},
}
DAY, HEADER = "2024-05-01", "sold_on,item,cents"


def sales(**source: Any) -> Table:
    facts = {**CONTRACT, "source": {"folder": "sales", "format": "csv", **source}}
    return Table("bronze.sales", TableContract.model_validate(facts), Path("bronze/sales.yaml"), None)


def said_of(content: bytes, folder: Path, **source: Any) -> str:
    """What is said of a landed file of this content; an empty text where it is taken."""
    table, file = sales(**source), folder / "2024-05-01.csv"
    assert table.contract.source
    file.write_bytes(content)
    try:
        require_dialect(table, table.contract.source, Place.of(str(file)), "landing/sales/2024-05-01.csv")
    except SourceError as error:
        return str(error)
    return ""


def zipped() -> bytes:
    with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
        archive.writestr("a.csv", HEADER)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(HEADER.encode()), "is compressed by gzip, and bronze/sales.yaml says format: csv; unpack it, and land it again."),
        (zipped(), "is a zip archive or an Excel workbook, and bronze/sales.yaml says format: csv; unpack it, or save its sheet as text, and land it again."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an Excel workbook, and bronze/sales.yaml says format: csv; save its sheet as text, and land it again."),
        (HEADER.encode("utf-16"), "is UTF-16, and bronze/sales.yaml says format: csv; save it as UTF-8, and land it again."),
        (b"PAR1abc", "is a Parquet file, and bronze/sales.yaml says format: csv; write `format: parquet`, and land it again."),
    ],
    ids=["gzip", "zip", "Excel", "UTF-16", "Parquet"],
)
def test_a_file_that_is_no_text_is_refused_by_its_first_bytes(tmp_path: Path, content: bytes, what: str) -> None:
    assert said_of(content, tmp_path) == f"bronze.sales: landing/sales/2024-05-01.csv {what}"


@pytest.mark.parametrize(
    ("head", "form", "what"),
    [
        (b'[{"a": 1}]', "jsonl", "is a JSON array"),
        (b"\xef\xbb\xbf \n [\n", "jsonl", "is a JSON array"),
        (b'{"a": [1]}\n', "jsonl", None),
        (b"[a],b\n", "csv", None),
        (HEADER.encode("utf-16-le"), "csv", "has zero bytes, as UTF-16 and files that are no text have"),
        (HEADER.encode("utf-16-be"), "jsonl", "has zero bytes, as UTF-16 and files that are no text have"),
        (b"(\xb5/\xfd....", "csv", "is compressed by zstd"),
        (b"BZh9", "csv", "is compressed by bzip2"),
        (b"\xfd7zXZ\x00", "csv", "is compressed by xz"),
        (b"ORC", "csv", "is an ORC file"),
        (b"\xef\xbb\xbfid\n", "csv", None),
        (b"", "csv", None),
        (b"", "jsonl", None),
    ],
)
def test_a_format_is_told_by_how_a_file_begins(head: bytes, form: str, what: str | None) -> None:
    found = other_format(head, form)
    assert (found[0] if found else None) == what


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ("a,b\n1,2\n", 0),
        ('a,b\n1,"x"\n', 0),
        ('a,b\n1,"x ""y"" z"\n', 0),
        ('a,b\n1,5" pipe\n2,6\n', 0),  # a quote within a text is a sign like any other
        ('a,b\n1,"x\ny"\n', 2),
        ('a,b\n1,2\n\n"x\r\ny",3\n', 4),
        ('a,b\n1,"x\n2,3\n', 2),
        ('a,"b\nc"\n', 1),
    ],
)
def test_a_line_break_inside_quotes_is_found_with_its_line(tmp_path: Path, lines: str, line: int) -> None:
    assert broken_record(io.StringIO(lines, newline=""), ",") == line
    assert any(has_odd_quotes(text) for text in lines.encode().splitlines(keepends=True)) or not line
    said = f"bronze.sales: the record of line {line} of landing/sales/2024-05-01.csv has a line break inside quotes, or a quote that is not closed; "
    said += "such a record is not read yet: write it on one line, and land the file again."
    assert said_of(lines.encode(), tmp_path) == (said if line else "")


def test_a_file_of_another_delimiter_is_looked_at_by_that(tmp_path: Path) -> None:
    assert said_of(b'a;b\n1;"x\ny"\n', tmp_path, delimiter=";").startswith("bronze.sales: the record of line 2 of ")


def verdict(judged: int, broken: int, day: str = DAY, rule: str = "type") -> Verdict:
    return Verdict("bronze.sales", day, rule, "warn", broken == 0, judged, broken)


def test_only_days_of_many_rows_of_which_a_tenth_do_not_parse_are_looked_at_again() -> None:
    judged = [verdict(20, 2, "2024-05-01"), verdict(19, 19, "2024-05-02"), verdict(30, 2, "2024-05-03"), verdict(200, 200, "2024-05-04", "enough")]
    assert suspects(judged) == {"2024-05-01": 20}


def refused(rows: int, example: str = "", **causes: int) -> str:
    table = sales()
    assert table.contract.source
    examples = {**dict.fromkeys(("sold_on", "cents"), '{"sold_on":"05/01/2024","item":"tea","cents":"3,00"}'), "malformed": example, "encoding": "caf\ufffd"}
    return fault(table, table.contract.source, "sales/2024-05-01.csv", Unparsed(rows, causes, examples))


def test_a_tenth_of_the_rows_in_another_encoding_is_an_encoding() -> None:
    said = "sales/2024-05-01.csv is refused: 2 of 20 rows have bytes that are no UTF-8, like 'caf\ufffd'; save it as UTF-8 and land it again."
    assert refused(20, encoding=2) == said
    assert refused(20, encoding=2, malformed=15) == said
    assert refused(21, encoding=2) == ""
    assert refused(19, encoding=19) == ""


def test_half_of_the_rows_that_do_not_parse_for_one_cause_are_a_dialect() -> None:
    said = "sales/2024-05-01.csv is refused: 10 of 20 rows have a cents that is no int, like '3,00'; mend the file, or its type in bronze/sales.yaml."
    assert refused(20, cents=10) == said
    assert refused(20, cents=9) == ""
    assert refused(20, cents=9, sold_on=9) == ""
    assert refused(20, cents=12, sold_on=15).startswith("sales/2024-05-01.csv is refused: 15 of 20 rows have a sold_on that is no date, like '05/01/2024'; ")


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ("2024-05-01;tea;300", "have no ',' in them, like '2024-05-01;tea;300'; write the right `delimiter` in bronze/sales.yaml, or mend the file."),
        ("2024-05-01,tea,300,", "end with a ',' that the header does not have, like '2024-05-01,tea,300,'; take it away, or add it to the header."),
        ("2024-05-01,tea", "have 2 fields where the header has others, like '2024-05-01,tea'; mend the file and land it again."),
    ],
)
def test_rows_that_have_other_fields_than_the_header_say_how(example: str, said: str) -> None:
    assert refused(20, example, malformed=20) == f"sales/2024-05-01.csv is refused: 20 of 20 rows {said}"
    assert refused(40, example, malformed=20, cents=20) == f"sales/2024-05-01.csv is refused: 20 of 40 rows {said}"


@pytest.mark.spark
def test_a_file_in_another_encoding_is_held_and_the_other_day_is_published(shop: LittleLake) -> None:
    rows = [f"{DAY},{item},{cents}" for cents in range(6) for item in ("tea", "café", "pie", "bun")]
    file = shop.project / "landing/sales/2024-05-01.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes("\n".join([HEADER, *rows]).encode("cp1252"))
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,tea,300")
    held = shop.run("build", "bronze.sales", "2024-05-01..2024-05-02")
    assert held.status == "held"
    assert "2024-05-01: sales/2024-05-01.csv is refused: 6 of 24 rows have bytes that are no UTF-8, like '2024-05-01,caf\ufffd,0'; " in held.message
    assert shop.rows("bronze.sales", "item") == [("tea",)]
    file.write_bytes("\n".join([HEADER, *rows]).encode())
    assert shop.build("bronze.sales", "2024-05-01..2024-05-02", "run-2").facts["days"] == ["2024-05-01"]
    assert len(shop.rows("bronze.sales")) == 25
