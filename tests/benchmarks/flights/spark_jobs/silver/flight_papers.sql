-- Which page of its carrier's papers a flight is on. One row per scheduled departure.
SELECT f.flight_date, f.carrier, f.flight, f.origin, substring(p.papers, 1 + f.flight % 15000 * 64, 64) AS page, length(p.papers) AS letters
FROM silver_flights AS f
JOIN silver_carrier_papers AS p ON p.carrier = f.carrier
