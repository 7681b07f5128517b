-- Flights with what is known of their destination. One row per scheduled departure.
SELECT
    make_date(f.year, f.month, f.day) AS flight_date,
    f.carrier,
    f.flight,
    f.origin,
    f.dest,
    a.airport_name AS dest_name,
    a.time_zone AS dest_time_zone,
    f.tailnum AS tail_number,
    f.time_hour AS scheduled_hour_at,
    f.dep_delay AS dep_delay_minutes,
    f.arr_delay AS arr_delay_minutes,
    f.air_time AS air_time_minutes,
    f.distance AS distance_miles,
    f.distance * 60.0D / f.air_time AS mean_speed_mph,
    f.dep_time IS NULL AS is_cancelled,
    f._row
FROM bronze_flights AS f
LEFT JOIN silver_airports AS a ON a.airport = f.dest
