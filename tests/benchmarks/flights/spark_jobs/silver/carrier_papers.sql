-- A million letters of each carrier, which cannot be packed. One row per carrier.
SELECT carrier, array_join(transform(sequence(1, 15625), n -> sha2(concat(carrier, n), 256)), '') AS papers
FROM (SELECT DISTINCT carrier FROM silver_flights)
