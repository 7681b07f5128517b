"""`python -m tests.planted [NAME OR AREA ...]`: plants the bugs one by one and tells which tests miss one; `make planted` calls it."""

from __future__ import annotations

import argparse
import sys

from tests.planted.planted_bugs import PlantedBugError, in_turn, named, planted_bugs
from tests.planted.trying import try_all
from tests.running.git import newest_commit


def main(arguments: list[str]) -> int:
    """0 where every bug was caught by all of its tests."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME OR AREA")
    parser.add_argument("--turn", type=int, metavar="COUNT", help="only so many, whose turn the newest commit tells")
    asked = parser.parse_args(arguments)
    try:
        bugs = named(planted_bugs(), asked.names)
    except PlantedBugError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.turn:
        bugs = in_turn(bugs, newest_commit(), asked.turn)
    failed = 0
    for tried in try_all(bugs, with_control=True):
        failed += bool(tried.missed)
        print(tried.in_words, flush=True)
    print(f"planted bugs: {len(bugs) - failed} caught, {failed} missed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
