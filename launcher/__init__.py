"""Set-up and the local processes of one lake: Airflow, the Spark Connect server and the MLflow server."""
