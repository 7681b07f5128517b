-- Airports, from the newest register. One row per airport.
SELECT faa AS airport, name AS airport_name, tzone AS time_zone, _row
FROM bronze_airports
