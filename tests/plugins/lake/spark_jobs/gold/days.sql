SELECT visit_date, sum(spent) AS spent FROM silver_visits GROUP BY visit_date
