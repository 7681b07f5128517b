"""One table of the day, for a task of its own: `naive_step.py TABLE LANDING ROOT DAY`."""

from __future__ import annotations

import sys

import spark_script

table = getattr(spark_script, sys.argv[1].replace(".", "_"))
table(spark_script.session(), *sys.argv[2:5])
