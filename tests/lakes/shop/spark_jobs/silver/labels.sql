-- What was sold. One row per transaction.
SELECT
    to_date(sold_at) AS sale_date,
    transaction_id,
    user_id,
    sold_at,
    amount,
    _row
FROM bronze_transactions
