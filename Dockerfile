# One image for every part of a lake: Airflow, Spark and MLflow. The same Python, lock and jars on all sides, so that no driver
# differs from its workers. The base needs Python 3.11 with venv; where it has no Java 17 or 21, apt brings one.
ARG BASE_IMAGE=python:3.11.14-slim-bookworm

FROM ${BASE_IMAGE} AS build
# Mirrors, where the public ones are not reached: `docker-compose build --build-arg NAME=VALUE`. They stay in this stage.
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG LAKE_MAVEN_REPOSITORY
ARG SSL_CERT_FILE
# S3=1: with the jars of a lake on S3
ARG S3
WORKDIR /opt/lake
# First what changes seldom: packages and jars are fetched again only when a lock or the launcher changes.
COPY requirements.lock requirements-bootstrap.lock jars.lock jars-s3.lock ./
COPY expectations/__init__.py expectations/errors.py expectations/
COPY launcher launcher
RUN python3.11 -m launcher.set_up ${S3:+--s3} && rm -rf ~/.cache
COPY LICENSE ./
COPY dags dags
COPY expectations expectations
COPY plugins plugins
COPY spark_jobs spark_jobs
# Files keep the modes of the machine that built the image, which may be for its user alone.
RUN .venv/bin/python -m compileall -q dags expectations launcher plugins spark_jobs && chmod -R a+rX,go-w /opt/lake

FROM ${BASE_IMAGE} AS lake
# A whole Java: a cluster's executors do not start on the one of the wheel.
RUN if ! command -v java >/dev/null; then \
        mkdir -p /usr/share/man/man1 && apt-get update -qq \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless \
        && rm -rf /var/lib/apt/lists/*; \
    fi \
    && ln -s "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")" /opt/java
COPY --from=build /opt/lake /opt/lake
# Spark asks the system for its user's name, so the user must exist. It owns the lake, not the code.
ARG AIRFLOW_UID=50000
RUN test "${AIRFLOW_UID}" -gt 0 \
    && useradd --no-log-init --non-unique --uid "${AIRFLOW_UID}" --gid 0 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin lake \
    && install -d -o "${AIRFLOW_UID}" -g 0 -m 0770 /lake /lake/data /lake/landing /lake/logs /lake/mlflow /lake/s3 /lake/scratch /opt/airflow
ENV AIRFLOW_HOME=/opt/airflow \
    JAVA_HOME=/opt/java \
    HOME=/tmp \
    LAKE_PROJECT=/opt/lake \
    LAKE_JARS=/opt/lake/.lake/jars \
    LAKE_ROOT=/lake/data \
    LAKE_LANDING=/lake/landing \
    PATH=/opt/lake/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/lake:/opt/lake/plugins \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYSPARK_PYTHON=/opt/lake/.venv/bin/python \
    PYSPARK_DRIVER_PYTHON=/opt/lake/.venv/bin/python \
    MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false \
    GX_ANALYTICS_ENABLED=false \
    GIT_PYTHON_REFRESH=quiet \
    TZ=UTC
WORKDIR /opt/lake
USER ${AIRFLOW_UID}:0

# `docker build --target kubernetes`: the same, started by Spark's words for pods.
FROM lake AS kubernetes
ENTRYPOINT ["python", "-m", "launcher.kubernetes"]

FROM lake
