"""One Airflow DAG `<pipeline>_daily` for every pipeline in the lake's `expectations/pipelines.yaml`."""

from __future__ import annotations

from medallion.lake_contents import pipelines
from medallion.pipeline_dag import pipeline_dag

for pipeline in pipelines():
    pipeline_dag(pipeline)
