"""Which Spark server the watch takes to be hung. tests/faults stops a real one."""

import pytest

from launcher.watch import Watched

OLD, NEW = 101, 202
ANSWERS, SILENT = (OLD, True), (OLD, False)


@pytest.mark.parametrize(
    ("looks", "is_hung"),
    [
        ([ANSWERS, SILENT, SILENT], False),
        ([ANSWERS, SILENT, SILENT, SILENT], True),
        ([ANSWERS, SILENT, SILENT, ANSWERS, SILENT, SILENT], False),
        ([SILENT] * 9, False),
        ([ANSWERS, (NEW, False), (NEW, False), (NEW, False)], False),
        ([ANSWERS, SILENT, SILENT, (0, False)], False),
    ],
    ids=["twice silent", "three times", "an answer between", "never answered: it is starting", "another process is starting", "none runs"],
)
def test_a_server_that_answered_once_is_hung_when_it_is_silent_three_times_in_a_row(looks, is_hung):
    seen = Watched()
    for pid, answers in looks:
        seen = seen.after(pid, answers=answers)
    assert seen.is_hung is is_hung
