"""Real flights from New York in 2013: what was known of each at midnight before it left, and how late it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from launcher.landing import _data

if TYPE_CHECKING:
    from datetime import date

NAMES = {"hour": "scheduled_hour", "distance": "distance_miles", "arr_delay": "arr_delay_minutes"}
WEATHER = {"wind_speed": "wind_speed_mph", "precip": "precipitation_inches", "visib": "visibility_miles"}
HISTORIES = {"carrier": ["carrier"], "origin": ["origin"], "route": ["origin", "dest"], "flight": ["carrier", "flight", "origin"]}
KEYS = ["flight_date", "carrier", "flight", "origin"]
PLANNED = [*KEYS, "dest", "weekday", "scheduled_hour", "distance_miles"]
KNOWN = [f"{name}_{what}" for name in HISTORIES for what in ("late_share", "mean_arr_delay_minutes")]
LATE_AFTER_MINUTES = 15
LOOK_BACK_DAYS = 30
SURELY_KNOWN_AFTER = pd.Timedelta(days=2)
"""A flight of the day before may land after midnight."""


def known_flights(last: date, every: int) -> pd.DataFrame:
    """Each `every`-th flight up to `last` that arrived: PLANNED, KNOWN of all flights, the last weather of the day before, and how late it was."""
    flights = pd.read_csv(_data() / "flights.csv.zip").rename(columns=NAMES)
    flights["flight_date"] = pd.to_datetime(flights[["year", "month", "day"]])
    flights = flights[(flights["flight_date"] <= pd.Timestamp(last)) & flights["arr_delay_minutes"].notna()].drop_duplicates(KEYS)
    flights["weekday"] = flights["flight_date"].dt.weekday
    flights["is_late"] = flights["arr_delay_minutes"] > LATE_AFTER_MINUTES
    rows = flights.iloc[::every][[*PLANNED, "arr_delay_minutes", "is_late"]]
    for name, keys in HISTORIES.items():
        rows = rows.merge(_history(flights, name, keys), on=[*keys, "flight_date"], how="left")
    rows = rows.merge(_weather(), on=["origin", "flight_date"], how="left")
    return rows[[*PLANNED, *KNOWN, *WEATHER.values(), "arr_delay_minutes", "is_late"]]


def _history(flights: pd.DataFrame, name: str, keys: list[str]) -> pd.DataFrame:
    """Late share and mean delay of the same keys, over the thirty days that were surely over at midnight."""
    daily = flights.groupby([*keys, "flight_date"])[["is_late", "arr_delay_minutes"]].agg(["sum", "count"])
    daily.columns = pd.Index(["late", "flights", "minutes", "_"])
    so_far = daily.reset_index(keys).groupby(keys)[["late", "flights", "minutes"]].rolling(f"{LOOK_BACK_DAYS}D").sum().reset_index()
    shares = {f"{name}_late_share": so_far["late"] / so_far["flights"], f"{name}_mean_arr_delay_minutes": so_far["minutes"] / so_far["flights"]}
    return so_far[[*keys, "flight_date"]].assign(**shares).assign(flight_date=so_far["flight_date"] + SURELY_KNOWN_AFTER)


def _weather() -> pd.DataFrame:
    """What was measured at an airport in the last hour of the day before."""
    measured = pd.read_csv(_data() / "weather.csv").rename(columns=WEATHER)
    late = measured[measured["hour"] == measured["hour"].max()]
    return late.assign(flight_date=pd.to_datetime(late[["year", "month", "day"]]) + pd.Timedelta(days=1))[["origin", "flight_date", *WEATHER.values()]]
