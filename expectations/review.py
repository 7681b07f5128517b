"""What a person wants done with the rows in a table's quarantine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from expectations.errors import RequestError, did_you_mean

Action = Literal["look", "edit", "discard", "reopen", "replay"]
ROW_ID = re.compile(r"[A-Za-z0-9_./-]{1,200}")
MOST_ROWS, LONGEST_REASON, LONGEST_NAME, LONGEST_RULE, LONGEST_TEXT = 500, 2000, 200, 300, 100_000
SHOWN = 60
"""Characters of somebody's text in an error."""


class Review(BaseModel):
    """One look at a table's quarantine, or one decision on some of its rows; the rows of a request with days are those of these days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action = "look"
    rule: Annotated[str, Field(max_length=LONGEST_RULE)] = ""
    """Only rows that broke this rule."""
    rows: Annotated[tuple[str, ...], Field(max_length=MOST_ROWS)] = ()
    """Only rows with these ids."""
    values: dict[str, str | None] | None = None
    """edit: column to its new text; None is null. No column at all takes back what was edited before."""
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    who: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)] = "unknown"

    @classmethod
    def of(cls, action: str, *, rule: str = "", rows: str = "", values: str = "", reason: str = "", who: str = "") -> Review:  # noqa: PLR0913 - a form's fields
        """From the texts of a form or a command line: `rows` are ids with commas or blanks between, `values` is a JSON object.

        Raises RequestError for what none of them can mean.
        """
        if action not in get_args(Action):
            raise RequestError(f"there is no action {action[:SHOWN]!r}; write {', '.join(get_args(Action))}.{did_you_mean(action, get_args(Action))}")
        ids = tuple(dict.fromkeys(filter(None, re.split(r"[\s,]+", rows))))
        for row_id in ids:
            if not ROW_ID.fullmatch(row_id):
                raise RequestError(f"{row_id[:SHOWN]!r} is no id of a row; copy it from what `look` shows, with commas between several.")
        if len(ids) > MOST_ROWS:
            raise RequestError(f"{len(ids)} rows are named, at most {MOST_ROWS} can be; choose them by days and rule.")
        for field, text, longest in (("reason", reason, LONGEST_REASON), ("who", who, LONGEST_NAME), ("rule", rule, LONGEST_RULE)):
            if len(text) > longest:
                raise RequestError(f"{field} has {len(text)} characters; write at most {longest}.")
        return cls(action=action, rule=rule.strip(), rows=ids, values=_values(values), reason=reason.strip(), who=who.strip() or "unknown")  # type: ignore[arg-type]

    def require_complete(self, days: str | None) -> None:
        """Raises RequestError where the decision lacks what it needs: which rows, what to write, and why."""
        if self.action == "edit" and not self.rows:
            raise RequestError("edit: which rows? Name them in `rows` (--rows); `look` shows their ids.")
        if self.action == "edit" and self.values is None:
            raise RequestError("""edit: what is right? Fill in `values` (--values), for example '{"distance": "100"}'.""")
        if self.action != "edit" and self.values is not None:
            raise RequestError(f"{self.action}: values are for the action edit; leave them out.")
        if self.action in {"discard", "reopen"} and not (self.rows or self.rule or days):
            raise RequestError(f"{self.action}: which rows? Name them in `rows`, or choose them by `rule` or days (--rows, --rule, --days).")
        if self.action in {"edit", "discard"} and not self.reason:
            raise RequestError(f"{self.action}: why? Fill in `reason` (--reason); it is kept with the row.")

    def to_arguments(self) -> list[str]:
        """The words by which spark_jobs/run.py is asked for it."""
        texts = {"rule": self.rule, "rows": ",".join(self.rows), "reason": self.reason, "who": self.who}
        texts["values"] = json.dumps(self.values) if self.values is not None else ""
        # with `=`: a text may begin with a dash
        return ["--action", self.action, *(f"--{name}={text}" for name, text in texts.items() if text)]


@dataclass(frozen=True)
class _Number:
    """A number as it was written: read as one, 1.10 would become 1.1, and a long one another."""

    text: str


def _values(text: str) -> dict[str, str | None] | None:
    if not text.strip():
        return None
    try:
        found: Any = json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RequestError(f"""values are {text[:SHOWN]!r}, not a JSON object; write them like {{"distance": "100"}}.""")
    return {name: _text(name, value) for name, value in found.items()}


def _text(name: str, value: object) -> str | None:
    """A number or a switch as somebody would land it; a list or an object as JSON. Raises RequestError for a number within one."""

    def refuse(number: _Number) -> None:
        raise RequestError(f"the new value of {name[:SHOWN]!r} has the number {number.text[:SHOWN]} within it; write the whole value as one text in quotes.")

    if isinstance(value, _Number):
        value = value.text
    text = value if value is None or isinstance(value, str) else json.dumps(value, default=refuse)
    if text is not None and len(text) > LONGEST_TEXT:
        raise RequestError(f"the new value of {name[:SHOWN]!r} has {len(text)} characters, at most {LONGEST_TEXT} are taken.")
    return text
