-- How a route's day went. One row per scheduled local date of departure, origin and destination.
-- The source gives two routes a second distance, one mile off: the longer one is taken.
SELECT
    flight_date,
    origin,
    dest,
    count(*) AS flights,
    count_if(is_cancelled) AS cancelled,
    avg(arr_delay_minutes) AS mean_arr_delay_minutes,
    avg(air_time_minutes) AS mean_air_time_minutes,
    max(distance_miles) AS distance_miles
FROM silver_flights
GROUP BY flight_date, origin, dest
