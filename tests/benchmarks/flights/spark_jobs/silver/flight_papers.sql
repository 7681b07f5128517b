-- Flights with the page of their carrier's papers that they are on. One row per scheduled departure.
SELECT f.flight_date, f.carrier, f.flight, f.origin, f.dest, f.dest_name, f.dest_time_zone, f.tail_number, f.scheduled_hour_at,
    f.dep_delay_minutes, f.arr_delay_minutes, f.air_time_minutes, f.distance_miles, f.mean_speed_mph, p.pages[f.flight % 15625] AS page
FROM silver_flights AS f
JOIN silver_carrier_papers AS p ON p.carrier = f.carrier
