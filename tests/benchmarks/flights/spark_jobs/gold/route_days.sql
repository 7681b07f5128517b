-- How a route's day went. One row per scheduled local date of departure, origin and destination.
SELECT
    flight_date,
    origin,
    dest,
    count(*) AS flights,
    avg(air_time_minutes) AS mean_air_time_minutes,
    max(distance_miles) AS distance_miles
FROM silver_flights
GROUP BY flight_date, origin, dest
