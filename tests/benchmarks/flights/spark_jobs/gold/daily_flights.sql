-- How a day went. One row per scheduled local date of departure.
SELECT
    flight_date,
    count(*) AS flights,
    count_if(is_cancelled) AS cancelled,
    avg(dep_delay_minutes) AS mean_dep_delay_minutes,
    avg(arr_delay_minutes) AS mean_arr_delay_minutes
FROM silver_flights
GROUP BY flight_date
