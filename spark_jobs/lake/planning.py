"""Which days a job has to make, and from which days of its inputs: decided from the ledger alone, before Spark is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from expectations.days import ALL
from expectations.ledger import Arrival

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.contract import Input
    from expectations.facts import Needs
    from expectations.lake import Lake, Table
    from expectations.ledger import DayEntry, Ledger
    from expectations.ledger.entries import Inputs

Versions = dict[str, int]


@dataclass(frozen=True)
class Plan:
    """What a job will do.

    `days`: the days (or ALL) to make now. `inputs`: for each, the input days and versions it is made from. `reads`: input table to
    the days to read; None is the whole table. `new_arrivals`: bronze days whose rows were never looked at with this code: which
    days they touch is only known after a scan, then `with_arrivals` completes the plan.
    """

    days: tuple[str, ...] = ()
    inputs: dict[str, Inputs] = field(default_factory=dict)
    reads: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    arrivals: tuple[Arrival, ...] = ()
    new_arrivals: Versions = field(default_factory=dict)
    stand_ins: dict[str, dict[str, str]] = field(default_factory=dict)
    """Input table to day to the last good day that is read in its place."""
    refused: dict[str, Inputs] = field(default_factory=dict)
    """Days that are asked for and not made, since an input's day is not as clean as the table needs; and what is there of their inputs."""
    reason: str = ""
    """Why there is nothing to do."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.days and not self.new_arrivals and not self.refused


@dataclass(frozen=True)
class Planner:
    """Plans one table's job. `requested` are the day keys of the run; `force` makes unchanged days again too."""

    lake: Lake
    ledger: Ledger
    table: Table
    requested: tuple[str, ...]
    run_id: str
    force: bool = False

    def plan(self) -> Plan:
        """The plan, as far as it can be known without reading rows."""
        if self.arrival_input:
            return self._plan_arrivals(self.arrival_input)
        if self.table.contract.day:
            return self._plan_days(self._day_targets())
        if self.table.contract.write == "replace_all":
            return self._plan_days((ALL,))
        return self._plan_days(self._batch_targets())

    # what kind of input each one is

    @property
    def code(self) -> str:
        """What the table is made with: contract and logic."""
        return f"{self.table.contract_hash}.{self.table.logic_hash}"

    @property
    def arrival_input(self) -> str | None:
        """The bronze input whose files bring rows of any day, where the table has days of its own."""
        if not self.table.contract.day:
            return None
        return next((read.table for read in self.table.contract.inputs if self.lake.is_arrival(read.table)), None)

    def _is_snapshot(self, name: str) -> bool:
        source = self.lake.table(name).contract.source
        return source is not None and source.arrives == "snapshot"

    # tables with days, made from tables with days

    def _day_targets(self) -> tuple[str, ...]:
        """The requested days, the days this run published upstream, and the days whose input changed after they were read."""
        same_day = self._same_day_inputs()
        touched = self.ledger.days_of_run(self.run_id, same_day)
        entries = self.ledger.days(self.table.name)
        for read in self.table.contract.inputs:
            if self.lake.has_days(read.table):
                versions = self.ledger.versions(read.table, needs=read.needs)
                seen_now = {day: {near: versions[near] for near in _window(day, read) if near in versions} for day in entries if day != ALL}
                touched |= {day for day, now in seen_now.items() if entries[day].inputs.get(read.table, {}) != now}
        return tuple(sorted({*self.requested, *touched} - {ALL}))

    def _batch_targets(self) -> tuple[str, ...]:
        """Tables that take batches (merge, append, scd2 without days of their own): the requested days, or ALL where inputs have none."""
        daily = any(self.lake.has_days(read.table) for read in self.table.contract.inputs)
        return self.requested if daily else (ALL,)

    def _plan_days(self, candidates: tuple[str, ...]) -> Plan:
        entries = self.ledger.days(self.table.name, candidates)
        inputs: dict[str, Inputs] = {}
        absent: list[str] = []
        found = self._inputs_of(candidates)
        refused = {day: wanted for day, wanted in self._refused(found).items() if self._is_there(day)}
        for day, wanted in found.items():
            if day in refused:
                continue
            if not self._has_rows(day, wanted):
                absent.append(day)
            elif self.force or self._is_stale(entries.get(day), wanted):
                inputs[day] = wanted
        reason = "nothing changed" if not absent else f"its inputs have nothing published for {', '.join(absent[:5])}"
        return Plan(tuple(inputs), inputs, self._reads(inputs), reason=reason, stand_ins=self._stand_ins(inputs), refused=refused)

    def _refused(self, inputs: dict[str, Inputs]) -> dict[str, Inputs]:
        """The days of which an input has rows, but none as clean as it is needed."""
        refused: dict[str, Inputs] = {}
        for read in self.table.contract.inputs:
            if read.needs == "published" or read.otherwise != "hold" or not read.days[0] <= 0 <= read.days[1]:
                continue
            published = self.ledger.versions(read.table)
            for day, wanted in inputs.items():
                by_day = day != ALL and self.lake.has_days(read.table)
                is_there, is_good = (day in published, day in wanted[read.table]) if by_day else (bool(published), bool(wanted[read.table]))
                if is_there and not is_good:
                    refused[day] = wanted
        return refused

    def _stand_ins(self, inputs: dict[str, Inputs]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for read in self.table.contract.inputs:
            if read.otherwise == "last_good_day":
                others = {day: next(iter(wanted[read.table])) for day, wanted in inputs.items() if wanted[read.table] and day not in wanted[read.table]}
                if others:
                    found[read.table] = others
        return found

    def _has_rows(self, day: str, wanted: Inputs) -> bool:
        """Whether there is anything to make the day from: the first input that is read for the same day decides."""
        same_day = self._same_day_inputs()
        if not same_day or day == ALL:
            return any(wanted.values())
        first = same_day[0]
        return bool(wanted.get(first)) if self._read_of(first).otherwise == "last_good_day" else day in wanted.get(first, {})

    def _is_there(self, day: str) -> bool:
        """Whether the input that decides about a day has published it, clean or not."""
        same_day = self._same_day_inputs()
        return not same_day or day == ALL or day in self.ledger.versions(same_day[0], [day])

    def _read_of(self, name: str) -> Input:
        return next(read for read in self.table.contract.inputs if read.table == name)

    def _same_day_inputs(self) -> list[str]:
        reads = self.table.contract.inputs
        return [read.table for read in reads if self.lake.has_days(read.table) and read.days[0] <= 0 <= read.days[1]]

    def _is_stale(self, entry: DayEntry | None, wanted: Inputs) -> bool:
        """Whether a day is to be made: it never was, it was held, or it was made with other code or from other inputs."""
        return entry is None or entry.state == "held" or entry.code != self.code or entry.inputs != wanted

    def _inputs_of(self, days: Iterable[str]) -> dict[str, Inputs]:
        """For each day, what is published of each input now."""
        days = tuple(days)
        found: dict[str, Inputs] = {day: {} for day in days}
        for read in self.table.contract.inputs:
            if self.lake.has_days(read.table) and ALL not in days:
                wanted = {day: list(_window(day, read)) for day in days}
                versions = self.ledger.versions(read.table, {near for window in wanted.values() for near in window}, read.needs)
                for day in days:
                    found[day][read.table] = {near: versions[near] for near in wanted[day] if near in versions} or self._last_good_day(read, day)
            else:
                versions = self._whole(read.table, read.needs)
                for day in days:
                    found[day][read.table] = versions
        return found

    def _last_good_day(self, read: Input, day: str) -> Versions:
        if read.otherwise != "last_good_day":
            return {}
        before = {near: version for near, version in self.ledger.versions(read.table, needs=read.needs).items() if near < day}
        return {max(before): before[max(before)]} if before else {}

    def _whole(self, name: str, needs: Needs = "published") -> Versions:
        """What stands for a table that is read whole: its newest snapshot, or the version at which it last changed.

        Where only clean days are good enough, a table that has days is read by them.
        """
        versions = self.ledger.versions(name, needs=needs)
        if not versions or (needs == "clean" and self.lake.has_days(name)):
            return versions
        if self._is_snapshot(name):
            newest = max(versions)
            return {newest: versions[newest]}
        return {ALL: max(versions.values())}

    def _reads(self, inputs: dict[str, Inputs]) -> dict[str, tuple[str, ...] | None]:
        reads: dict[str, tuple[str, ...] | None] = {}
        for read in self.table.contract.inputs:
            days = {day for wanted in inputs.values() for day in wanted.get(read.table, {})}
            reads[read.table] = None if ALL in days else tuple(sorted(days))
        return reads

    # tables with days, made from files that bring rows of any day

    def _plan_arrivals(self, bronze: str) -> Plan:
        known = {arrival.arrival_day: arrival for arrival in self.ledger.arrivals(self.table.name) if arrival.input == bronze}
        landed = self.ledger.versions(bronze, self.requested)
        new = {
            day: version for day, version in landed.items() if self.force or day not in known or (known[day].version, known[day].code) != (version, self.code)
        }
        if not landed:
            return Plan(reason=f"{bronze} has nothing published for {', '.join(self.requested[:5])}")
        settled = {day for day in landed if day not in new}
        candidates = {day for arrival_day in settled for day in known[arrival_day].days}
        stale = self._arrival_targets(candidates, known)
        plan = self._arrival_plan(bronze, stale, known, new, ())
        return replace(plan, reads={**plan.reads, **self._scan_reads(bronze)}) if new else plan

    def _scan_reads(self, bronze: str) -> dict[str, tuple[str, ...] | None]:
        """What a scan joins new arrivals to: the other inputs whole, for which of their days are needed is what the scan has to tell.

        A row that found no partner, because too little was read, would belong to no day and be lost.
        """
        others = [read for read in self.table.contract.inputs if read.table != bronze]
        newest = {read.table: self._whole(read.table, read.needs) or self._whole(read.table) for read in others if self._is_snapshot(read.table)}
        return {read.table: tuple(newest[read.table]) if read.table in newest else None for read in others}

    def with_arrivals(self, plan: Plan, touched: dict[str, list[str]]) -> Plan:
        """The plan once a scan has told which days each new arrival touches."""
        bronze = str(self.arrival_input)
        known = {arrival.arrival_day: arrival for arrival in self.ledger.arrivals(self.table.name) if arrival.input == bronze}
        before = {day for arrival_day in touched if arrival_day in known for day in known[arrival_day].days}
        arrivals = tuple(
            Arrival(self.table.name, bronze, arrival_day, plan.new_arrivals[arrival_day], self.code, sorted(days)) for arrival_day, days in touched.items()
        )
        known |= {arrival.arrival_day: arrival for arrival in arrivals}
        days = {*plan.days, *before, *(day for found in touched.values() for day in found)}
        return self._arrival_plan(bronze, days, known, plan.new_arrivals, arrivals)

    def _arrival_targets(self, days: set[str], known: dict[str, Arrival]) -> set[str]:
        entries = self.ledger.days(self.table.name, days)
        wanted = self._arrival_inputs(days, known)
        return {day for day in days if self._is_stale(entries.get(day), wanted[day])}

    def _arrival_inputs(self, days: Iterable[str], known: dict[str, Arrival]) -> dict[str, Inputs]:
        bronze = str(self.arrival_input)
        wanted = self._inputs_of(days)
        versions = self.ledger.versions(bronze, known)
        for day, inputs in wanted.items():
            touching = sorted(arrival.arrival_day for arrival in known.values() if day in arrival.days)
            inputs[bronze] = {arrival_day: versions[arrival_day] for arrival_day in touching if arrival_day in versions}
        return wanted

    def _arrival_plan(self, bronze: str, days: Iterable[str], known: dict[str, Arrival], new: Versions, arrivals: tuple[Arrival, ...]) -> Plan:
        inputs = self._arrival_inputs(sorted(days), known)
        refused = self._refused(inputs)
        inputs = {day: wanted for day, wanted in inputs.items() if day not in refused}
        reads = self._reads(inputs)
        reads[bronze] = tuple(sorted({*(reads[bronze] or ()), *new}))
        return Plan(tuple(inputs), inputs, reads, arrivals, new, reason="nothing changed", stand_ins=self._stand_ins(inputs), refused=refused)


def _window(day: str, read: Input) -> Iterable[str]:
    start = date.fromisoformat(day)
    return ((start + timedelta(days=offset)).isoformat() for offset in range(read.days[0], read.days[1] + 1))
