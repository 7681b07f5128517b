"""A model of several classes, from contract to watched predictions: by an estimator of scikit-learn, and by a pipeline of Spark ML that reads words."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.metrics import accuracy_score, f1_score

from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.learning.engines import pipeline_training
from spark_jobs.lake.learning.engines.pipelines import KeptPipeline, folder_sha256
from spark_jobs.lake.learning.evaluation.baselines import baselines_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from tests.spark_jobs.lake.conftest import copy_lake, use_lake
from tests.spark_jobs.lake.learning.conftest import HEALTH_CONTRACT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from pyspark.sql import SparkSession

    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
DAYS = [f"2024-05-{day:02}" for day in range(1, 19)]
LEARNED = "2024-05-01..2024-05-10"
HEADER = "sent_on,message,channel,hour,words,team"
WORDS = {
    "billing": ["invoice", "refund", "charge"],
    "repairs": ["broken", "leak", "engine"],
    "sales": ["price", "offer", "order"],
    "travel": ["ticket", "hotel", "train"],
}
COLUMNS = """
      sent_on: {type: date}
      message: {type: int}
      channel: {type: string}
      hour: {type: int}
      words: {type: string}
      team: {type: string}
"""
BRONZE = f"""
    contract: 1
    description: Messages as they are logged, one CSV file a day.
    source: {{folder: messages, format: csv, nulls: [""]}}
    columns:{COLUMNS}"""
SILVER = f"""
    contract: 1
    description: Messages, typed, and the team that answered. One row a message.
    inputs: [bronze.messages]
    grain: [message]
    day: sent_on
    columns:{COLUMNS.replace("date", "date, nullable: false").replace("message: {type: int", "message: {type: int, nullable: false")}"""
PREDICTIONS = """
    contract: 1
    description: The team that should answer. One row a message and model version.
    inputs: [silver.messages]
    grain: [message, model_version]
    day: sent_on
    write: append
    columns:
      message: {type: int, nullable: false}
      sent_on: {type: date, nullable: false}
      share: {type: double, nullable: false}
      likely_team: {type: string, nullable: false}
      model_name: {type: string, nullable: false}
      model_version: {type: int, nullable: false}
      features_version: {type: bigint, nullable: false}
      scored_at: {type: timestamp, nullable: false}
"""
MODEL = """
    contract: 1
    description: Which team should answer a message.
    kind: multiclass
    training: silver.messages
    features: silver.messages
    predictions: gold.team_predictions
    comparisons: gold.team_comparisons
    health: gold.model_health
    target: team
    probability: share
    predicted: likely_team
    split: {validation_days: 1, test_days: 2}
    folds: 2
    slices: [channel]
    history: {keys: [channel], days: 5}
"""
SKLEARN = """
    inputs: [channel, hour]
    score: log_loss
    search: {tree__max_depth: [1, 4], tree__min_samples_leaf: [10]}
    gates: [{metric: accuracy, at_least: 0.5}, {metric: log_loss, at_most: 1.2}]
    train: {alarms: [{metric: accuracy, at_least: 0.99, days: 2, of: 7}]}
    trusted_types: [sklearn.tree._tree.Tree]
"""
TREE = """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.tree import DecisionTreeClassifier


    def build_estimator():
        columns = ColumnTransformer([("channels", OneHotEncoder(handle_unknown="ignore"), ["channel"])], remainder="passthrough")
        return Pipeline([("columns", columns), ("tree", DecisionTreeClassifier())])
"""
SPARK_ML = """
    engine: spark_ml
    inputs: [words, channel]
    score: accuracy
    search: {LogisticRegression__regParam: [0.01, 1.0]}
    budget: {method: halving, factor: 2}
    gates: [{metric: f1_macro, at_least: 0.8}]
    trusted_types: [sklearn.tree._tree.Tree]
"""
READER = """
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import HashingTF, Tokenizer


    def build_estimator():
        words = Tokenizer(inputCol="words", outputCol="tokens")
        counts = HashingTF(inputCol="tokens", outputCol="features", numFeatures=256)
        return Pipeline(stages=[words, counts, LogisticRegression(maxIter=20)])
"""


def messages_of(day: str) -> list[str]:
    """Sixty messages of a day: mostly in their team's words and channel; a channel or an hour may be missing; the last team begins on the fifth day."""
    dice, number = random.Random(day), int(day[-2:])  # noqa: S311
    teams, lines = list(WORDS)[: 4 if number >= 5 else 3], list[str]()
    for position in range(60):
        team = dice.choice(teams)
        words = [dice.choice(WORDS[team if dice.random() < 0.8 else dice.choice(teams)]) for _ in range(4)]
        channel = {"billing": "mail", "repairs": "phone", "sales": "shop", "travel": "mail"}[team] if dice.random() < 0.8 else dice.choice(["mail", ""])
        hour = dice.choice([*range(8, 13), ""] if team == "travel" else range(11, 20))
        lines.append(f"{day},{number * 1000 + position},{channel},{hour},{' '.join(words)},{team}")
    return lines


@pytest.fixture(scope="module")
def trained_messages(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, spark_remote: str) -> Path:
    """The folder of a lake whose messages are published, and whose model has one version, a tree."""
    folder = tmp_path_factory.mktemp("messages") / "lake"
    with pytest.MonkeyPatch.context() as monkeypatch:
        lake = use_lake(folder, spark, spark_remote, monkeypatch)
        lake.write("expectations/bronze/messages.yaml", BRONZE)
        lake.write("expectations/silver/messages.yaml", SILVER)
        lake.write("spark_jobs/silver/messages.sql", "SELECT sent_on, message, channel, hour, words, team, _row FROM bronze_messages\n")
        lake.write("expectations/gold/team_predictions.yaml", PREDICTIONS)
        lake.write("expectations/gold/team_comparisons.yaml", PREDICTIONS)
        lake.write(
            "expectations/gold/model_health.yaml", HEALTH_CONTRACT.replace("silver.calls, gold.call_predictions", "silver.messages, gold.team_predictions")
        )
        with_model(lake, SKLEARN, TREE)
        for day in DAYS:
            lake.land(f"messages/{day}.csv", HEADER, *messages_of(day))
        for table in ("bronze.messages", "silver.messages"):
            lake.build(table, f"{DAYS[0]}..{DAYS[-1]}", "build")
        result = lake.run("train", "teams", LEARNED, run_id="train-1")
        assert (result.status, result.facts.get("promoted")) == ("done", True), result.message
    return folder


@pytest.fixture
def messages(trained_messages: Path, tmp_path: Path, spark: SparkSession, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleLake]:
    """A copy of that lake, for one test."""
    lake = use_lake(tmp_path / "lake", spark, spark_remote, monkeypatch)
    copy_lake(trained_messages, lake.project)
    yield lake


def with_model(lake: LittleLake, contract: str, logic: str) -> None:
    lake.write("expectations/models/teams.yaml", MODEL + contract.lstrip("\n"))
    lake.write("spark_jobs/models/teams.py", logic)


def served(lake: LittleLake) -> object:
    """What the champion's file holds."""
    champion = lake.ledger.champion("teams")
    assert champion is not None
    return ModelStore(load_settings(), load_lake().model("teams")).load(champion.figures["file"], champion.figures["sha256"])


def predicted(lake: LittleLake) -> pd.DataFrame:
    """The predictions beside the messages they are of, by message."""
    found = lake.frame("gold.team_predictions").toPandas().drop(columns="sent_on")
    return found.merge(lake.frame("silver.messages").toPandas(), on="message").sort_values("message", ignore_index=True)


def alone(lake: LittleLake, verb: str, days: str | None, run_id: str, **more: Any) -> JobResult:
    """Do a job in a thread of its own: Spark ML's client speaks through its thread's first session, which for a real job is the job's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lake.run, verb, "teams", days, run_id, **more).result()


def test_a_class_is_learned_from_columns_and_the_version_is_what_a_new_fit_gives(messages: LittleLake) -> None:
    champion = messages.ledger.champion("teams")
    assert champion is not None
    figures = champion.figures["metrics"]
    assert set(figures) == {"accuracy", "f1_macro", "log_loss", "calibration_error"}
    assert set(champion.figures["baseline"]) == set(champion.figures["history"]) == set(figures)
    assert champion.figures["baseline"]["log_loss"] > champion.figures["history"]["log_loss"] > figures["log_loss"]
    # of the others there are fewer than 30 test rows
    assert {channel: part["rows"] for channel, part in champion.figures["slices"]["channel"].items()} == {"mail": 55, "phone": 30}
    pages = (messages.project / ".lake").rglob(f"{champion.figures['mlflow_run']}/artifacts/evaluation/*")
    assert sorted(page.name for page in pages) == ["by_channel.png", "calibration.png", "confusion.png", "slices.json"]
    rebuilt = messages.run("rebuild", "teams", run_id="rebuild-1", version=1)
    assert (rebuilt.status, rebuilt.facts["rows_differing"], rebuilt.facts["changed"]) == ("done", 0, {}), rebuilt.message


def test_the_class_is_predicted_with_its_share_and_watched(messages: LittleLake) -> None:
    scored = messages.run("score", "teams", run_id="score-1")
    assert (scored.status, scored.facts["rows_out"]) == ("done", 8 * 60), scored.message
    rows = predicted(messages)
    estimator = served(messages)
    shares = estimator.predict_proba(rows[["channel", "hour"]].astype({"hour": float}))  # type: ignore[attr-defined]
    assert abs(rows["share"] - shares.max(axis=1)).max() < 1e-12
    assert rows["likely_team"].tolist() == estimator.classes_[shares.argmax(axis=1)].tolist()  # type: ignore[attr-defined]

    watched = messages.run("watch", "teams", run_id="watch-1")
    assert (watched.status, len(watched.facts["days"])) == ("done", 8), watched.message
    assert watched.facts["alarms"] == ["accuracy was below 0.99 on 7 of 7 days, the last was 2024-05-18"]
    health = {(str(day), measure, of): value for day, measure, of, value in messages.rows("gold.model_health", "watched_on", "measure", "measure_of", "value")}
    last = rows[rows["message"] // 1000 == 18]
    assert health["2024-05-18", "accuracy", ""] == pytest.approx(accuracy_score(last["team"], last["likely_team"]), abs=1e-6)
    assert health["2024-05-18", "f1_macro", ""] == pytest.approx(f1_score(last["team"], last["likely_team"], average="macro"), abs=1e-6)
    # an answer is held against those of the first seven predicted days
    assert {(day, of) for day, measure, of in health if measure == "psi" and of == "likely_team"} == {("2024-05-18", "likely_team")}
    assert {of for _, measure, of in health if measure == "psi"} == {"channel", "hour", "likely_team"}
    assert 0 <= health["2024-05-18", "psi", "likely_team"] < 0.1


@pytest.mark.long
def test_words_are_read_by_a_pipeline_that_is_halved_fitted_asked_watched_and_made_again_where_the_rows_are(
    messages: LittleLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_training, "MOST_COLLECTED", 200)
    with_model(messages, SPARK_ML, READER)
    trained = alone(messages, "train", LEARNED, "train-2")
    assert (trained.status, trained.facts.get("promoted"), trained.facts["rows"]) == ("done", True, 10 * 60), trained.message
    figures = trained.facts["metrics"]
    assert set(figures) == {"accuracy", "f1_macro", "log_loss", "calibration_error"}
    # the champion, an estimator of scikit-learn, was asked about the same rows
    assert figures["accuracy"] > trained.facts["champion"]["accuracy"] > trained.facts["history"]["accuracy"] > trained.facts["baseline"]["accuracy"]
    version = messages.ledger.model_versions("teams")[0]
    assert [candidate["part"] for candidate in version.figures["search"]] == [2, 1]
    assert set(version.figures["slices"]["channel"]) >= {"mail", "phone"}
    models = Path(load_settings().models_path)
    for path, sha256 in (("file", "sha256"), ("training_set", "training_set_sha256")):
        assert folder_sha256(str(models / version.figures[path])) == version.figures[sha256]
    examples = messages.spark.read.parquet(str(models / version.figures["training_set"])).toArrow().to_pandas()
    assert (len(examples), examples["channel"].isna().any(), (examples["channel"] == "").any()) == (10 * 60, True, False), (
        "as they are; a pipeline sees the empty text"
    )
    is_test = examples["_day"] >= "2024-05-09"
    told = baselines_of(load_lake().model("teams").contract, examples[~is_test], examples[is_test], "_day")["history"]
    assert trained.facts["history"] == pytest.approx(told, abs=1e-9), "the history is that of all rows, though only a part was collected"
    assert not list((models / "teams" / "_search").iterdir())
    reader = served(messages)
    assert isinstance(reader, KeptPipeline)
    assert reader.classes == tuple(WORDS)

    scored = alone(messages, "score", None, "score-1")
    assert (scored.status, scored.facts["rows_out"], scored.facts["model_version"]) == ("done", 8 * 60, 2), scored.message
    rows = predicted(messages)
    assert set(rows["likely_team"]) == set(WORDS)
    assert rows["share"].between(0.25, 1).all()
    assert accuracy_score(rows["team"], rows["likely_team"]) > 0.8
    published = messages.version("gold.team_predictions")
    assert alone(messages, "score", None, "score-2").status == "unchanged"
    assert messages.version("gold.team_predictions") == published
    watched = alone(messages, "watch", None, "watch-1")
    assert (watched.status, len(watched.facts["days"])) == ("done", 8), watched.message
    drifted = [value for of, value in messages.rows("gold.model_health", "measure_of", "value") if of == "channel"]
    assert max(drifted) < 0.25, "a missing channel is no drift: a tenth of the learned ones were missing too"

    again = alone(messages, "rebuild", None, "rebuild-1", version=2)
    assert (again.status, again.facts["rows"], again.facts["rows_differing"], again.facts["same_predictions"]) == ("done", 600, 0, True), again.message
    next((models / version.figures["training_set"]).glob("part-*")).unlink()
    changed = alone(messages, "rebuild", None, "rebuild-2", version=2)
    assert (changed.status, "find out who changed it" in changed.message) == ("failed_terminal", True)
