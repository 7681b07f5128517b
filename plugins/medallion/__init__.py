"""GLUE: what Airflow loads. Never imports spark_jobs while parsing."""
