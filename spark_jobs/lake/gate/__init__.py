"""The gate: judges a candidate day by day and parts good rows from bad."""
