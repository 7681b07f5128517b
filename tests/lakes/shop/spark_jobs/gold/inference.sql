-- What to score: what visitors did on the day before.
SELECT
    date_add(log_date, 1) AS sale_date,
    user_id,
    actions,
    views,
    products,
    came_from_mail
FROM silver_features
