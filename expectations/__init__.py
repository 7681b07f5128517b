"""WHAT: contracts, the ledger that records how they were kept, and the settings. No Spark, no Airflow."""
