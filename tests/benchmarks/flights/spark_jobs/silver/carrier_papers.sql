-- A million letters of each carrier, which cannot be packed. One row per carrier.
SELECT carrier, transform(sequence(1, 15625), n -> sha2(concat(carrier, n), 256)) AS pages
FROM (SELECT DISTINCT carrier FROM silver_flights)
