"""One Airflow DAG `<model>_inference` for every model in the lake's `expectations/models`."""

from __future__ import annotations

from medallion.lake_contents import models
from medallion.model_dags import inference_dag

for model in models():
    inference_dag(model)
