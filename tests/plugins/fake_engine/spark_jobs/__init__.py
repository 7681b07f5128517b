"""Stands where the engine stands, for tests of what Airflow makes of its answers."""
