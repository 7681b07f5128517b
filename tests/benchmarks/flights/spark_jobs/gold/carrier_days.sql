-- How a carrier's day went. One row per scheduled local date of departure and carrier.
SELECT
    flight_date,
    carrier,
    count(*) AS flights,
    count_if(is_cancelled) AS cancelled,
    avg(arr_delay_minutes) AS mean_arr_delay_minutes
FROM silver_flights
GROUP BY flight_date, carrier
