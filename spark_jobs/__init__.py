"""HOW: the only room that imports Spark, Delta, Great Expectations, scikit-learn and MLflow."""
