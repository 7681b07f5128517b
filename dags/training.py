"""One Airflow DAG `<model>_training` for every model in the lake's `expectations/models`."""

from __future__ import annotations

from medallion.lake_contents import models
from medallion.model_dags import training_dag

for model in models():
    training_dag(model)
