-- What to learn from: what visitors did on a day, and whether they bought on the day after.
SELECT
    date_add(features.log_date, 1) AS sale_date,
    features.user_id,
    features.actions,
    features.views,
    features.products,
    features.came_from_mail,
    EXISTS (
        SELECT 1
        FROM silver_labels AS labels
        WHERE labels.user_id = features.user_id AND labels.sale_date = date_add(features.log_date, 1)
    ) AS bought
FROM silver_features AS features
