"""A day of any size from the real flights of 2013: the same columns and texts, `NA` included, and every key once."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from launcher.landing import _data, _unpacked, land

if TYPE_CHECKING:
    from collections.abc import Sequence

REAL_ROWS = 336_776
SEED = 2013
SIZES = {"S": 100_000, "M": 1_000_000, "L": 10_000_000}
"""Rows a day."""


def land_enlarged(landing: Path, day: date, rows: int, skewed_to: str = "") -> int:
    """Land one file of `rows` flights for the day, and the snapshots; returns the bytes of the file.

    A flight is one of the year's, taken to the day; its flight number is moved by 10,000 for each day of the year and each round through the
    year, which keeps (date, carrier, flight, origin) unique. Which of them come, in which order, is told by SEED and the day. `skewed_to`: a
    carrier that four rows of five are given to; flight numbers then only count.
    """
    land(landing, day, day)
    file = landing / "flights" / f"{day}.csv"
    draft = file.with_suffix(".draft")
    carrier = f"CASE WHEN hash(n, copy) % 5 < 4 THEN '{skewed_to}' ELSE carrier END" if skewed_to else "carrier"
    flight = f"n + {REAL_ROWS} * copy" if skewed_to else "flight::INT + 10000 * (dayofyear(make_date(year::INT, month::INT, day::INT)) + 366 * copy)"
    copies = -(-rows // REAL_ROWS)
    chosen = f"""
        SELECT * REPLACE ({day.year} AS year, {day.month} AS month, {day.day} AS day, {carrier} AS carrier, {flight} AS flight,
            '{day}' || substr(time_hour, 11) AS time_hour)
        FROM real CROSS JOIN (SELECT range AS copy FROM range({copies}))"""
    with _the_year(landing.parent) as connection:
        order = f"ORDER BY hash(n, {random.Random(f'{SEED} {day}').randrange(2**31)})" if rows < REAL_ROWS else ""  # noqa: S311 - no secret
        connection.execute(f"COPY (SELECT * EXCLUDE (n, copy) FROM ({chosen}) {order} LIMIT {rows}) TO '{draft}' (HEADER, DELIMITER ',')")
    draft.rename(file)
    return file.stat().st_size


def _the_year(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database with all flights of the year as texts, in the table `real`; `n` numbers them."""
    text = folder / "the_year.csv"
    if not text.exists():
        text.write_text(_unpacked((_data() / "flights.csv.zip").read_bytes()))
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE real AS SELECT row_number() OVER () - 1 AS n, * FROM read_csv('{text}', header = true, all_varchar = true)")
    return connection


def unlike(left: Path, right: Path, columns: Sequence[str], day: str) -> int:
    """How many rows of the day two Delta tables do not share, each row as often as it is there."""
    from deltalake import DeltaTable

    connection = duckdb.connect()
    for name, path in (("l", left), ("r", right)):
        connection.register(name, DeltaTable(path).to_pyarrow_dataset())
    chosen = ", ".join(f'round("{column}", 9)' if column.startswith("mean_") else f'"{column}"' for column in columns)
    rows = {name: f"(SELECT {chosen} FROM {name} WHERE flight_date = DATE '{day}')" for name in "lr"}
    both = f"(FROM {rows['l']} EXCEPT ALL FROM {rows['r']}) UNION ALL (FROM {rows['r']} EXCEPT ALL FROM {rows['l']})"
    return int(connection.execute(f"SELECT count(*) FROM ({both})").fetchall()[0][0])


def rows_of(path: Path, day: str) -> int:
    """How many rows of the day a Delta table has."""
    from deltalake import DeltaTable

    connection = duckdb.connect()
    connection.register("t", DeltaTable(path).to_pyarrow_dataset())
    return int(connection.execute(f"SELECT count(*) FROM t WHERE flight_date = DATE '{day}'").fetchall()[0][0])
