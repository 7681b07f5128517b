"""Where models are kept: MLflow has runs, versions and the alias `champion`; the lake has the file that serves and what it learned from.

A model is one skops file, known by its sha256. Nothing here unpickles, and nothing takes an allow-list from a file: the types that may
be loaded are those that the contract trusts.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import skops.io

from expectations.errors import ModelError, TransientError
from expectations.storage import Place
from spark_jobs.lake.learning.engines.grouped import Grouped
from spark_jobs.lake.learning.engines.pipelines import Kept, copy_folder, folder_sha256, open_pipeline
from spark_jobs.lake.learning.examples import drafted
from spark_jobs.lake.learning.registry.mlflow_registry import artifact_folder, open_client, require_answer, tracking_address
from spark_jobs.lake.learning.worker import read_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from mlflow import MlflowClient

    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from expectations.settings import Settings

CHAMPION = "champion"
MODEL_FILE = "model.skops"
PACKAGES = ("scikit-learn", "numpy", "skops")
"""What a model file needs to be read."""
RUN_TAG = "lake.run"


@dataclass(frozen=True)
class Registration:
    """One model on its way into the registry.

    `estimator` is fitted; `examples` are all it was shown, test days included, sorted; `seen` are some rows of its inputs. `facts` become
    tags of run and version, `datasets` inputs of the run: table name to what identifies what was read of it.
    """

    run_id: str
    estimator: Any
    examples: pd.DataFrame
    seen: pd.DataFrame
    parameters: dict[str, Any]
    metrics: dict[str, float]
    facts: dict[str, str]
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    """What it was made of and with: the run's artifact `provenance.json`."""
    pages: dict[str, bytes] = field(default_factory=dict)
    """Files that show how good it is, by name: the run's artifacts under `evaluation`."""
    kept: Kept | None = None
    """Where model and training set lie in the lake already, as those of Spark ML do; None where they are still to be kept."""


@dataclass(frozen=True)
class Registered(Kept):
    """A registered version."""

    version: int
    mlflow_run: str


class ModelStore:
    """The registry of one model."""

    def __init__(self, settings: Settings, model: Model) -> None:
        self.model = model
        self.trusted = list(model.contract.trusted_types)
        self._models_path = settings.models_path
        self._ledger_url = settings.ledger_url
        self._known_client: MlflowClient | None = None

    def location(self, path: str) -> str:
        """Where a path of Kept is: a lake may be moved, so its ledger keeps no whole paths."""
        return f"{self._models_path}/{path}"

    def load(self, file: str, sha256: str) -> Any:
        """The fitted estimator, or the KeptPipeline where it is one of Spark ML.

        Raises ModelError where the file is not the registered one or holds a type that the contract does not trust, TransientError where it
        cannot be read now.
        """
        try:
            if not file.endswith(MODEL_FILE):
                return open_pipeline(self.location(file), sha256)
            return read_model(self.location(file), sha256, self.trusted)
        except FileNotFoundError:
            raise ModelError(f"{self.model.name}: the model file {file} is gone; train again, or bring it back from MLflow.") from None
        except OSError as error:
            raise TransientError(f"{self.model.name}: {file} cannot be read ({error}).") from None
        except (TransientError, MemoryError):  # says nothing of the file
            raise
        except Exception as error:
            raise ModelError(f"{self.model.name}: the model file is refused: {error}. Train again, or find out who changed it.") from None

    def examples(self, training_set: str, sha256: str) -> pd.DataFrame:
        """The frozen training set of a version. Raises ModelError where it is gone or not the registered one."""
        import io

        import pyarrow.parquet as pq

        try:
            data = Place.of(self.location(training_set)).read_bytes()
        except FileNotFoundError:
            raise ModelError(f"{self.model.name}: the training set {training_set} is gone; bring it back from a backup, or train again.") from None
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise ModelError(f"{self.model.name}: the training set {training_set} has sha256 {found}, but {sha256} was registered; find out who changed it.")
        frame: pd.DataFrame = pq.read_table(io.BytesIO(data)).to_pandas()
        return frame

    def register(self, registration: Registration) -> Registered:
        """Keep the file and the training set, and add a version. A version that a broken attempt of the same run left behind is replaced.

        Raises ModelError where the estimator holds a type that the contract does not trust.
        """
        with tempfile.TemporaryDirectory() as folder:
            draft = f"{folder}/model"
            kept = registration.kept or self._keep(registration, draft)
            if registration.kept:
                copy_folder(self.location(kept.file), draft)
            self.load(kept.file, kept.sha256)
            tags = {**registration.facts, RUN_TAG: self._run_tag(registration), "lake.sha256": kept.sha256, "lake.file": self.location(kept.file)}
            tags |= {"lake.training_set": self.location(kept.training_set), "lake.training_set_sha256": kept.training_set_sha256}
            tags |= {f"lake.{name}": installed(name) for name in PACKAGES}
            tags |= {f"lake.made_with.{name}": value for name, value in registration.provenance.get("made_with", {}).items()}
            run, version = self._log(registration, draft, tags)
        return Registered(**asdict(kept), version=version, mlflow_run=run)

    def _keep(self, registration: Registration, draft: str) -> Kept:
        self._save(registration, draft)
        saved = Place.of(f"{draft}/{MODEL_FILE}")
        sha256 = saved.fingerprint()[0]
        file, learned = (f"{self.model.name}/{sha256[:16]}/{name}" for name in (MODEL_FILE, "examples.parquet"))
        saved.copy_to(Place.of(self.location(file)))
        with drafted(registration.examples) as (examples, examples_sha256):
            examples.copy_to(Place.of(self.location(learned)))
        return Kept(file, sha256, learned, examples_sha256)

    def crown(self, version: int) -> None:
        """Point the alias `champion` at a version, for people and tools; the lake itself asks the ledger."""
        self._client.set_registered_model_alias(self.model.name, CHAMPION, str(version))

    def _run_tag(self, registration: Registration) -> str:
        """Tells this attempt's run from one of the same id in another lake that shares the registry."""
        return f"{registration.run_id} of {self._models_path}"

    def _save(self, registration: Registration, folder: str) -> None:
        grouped = isinstance(registration.estimator, Grouped)
        data = skops.io.dumps(registration.estimator.parts if grouped else registration.estimator)
        self.check_trust(skops.io.get_untrusted_types(data=data))  # MLflow would refuse them too, but as its own fault and with no word of the contract
        _ = self._client  # MLflow reads its switches when it is first imported
        import mlflow.sklearn
        from mlflow.models import infer_signature

        if grouped:  # no estimator of scikit-learn's own, so MLflow has no words for it
            os.makedirs(folder)
            Path(folder, MODEL_FILE).write_bytes(data)
        else:
            mlflow.sklearn.save_model(
                registration.estimator,
                folder,
                serialization_format="skops",
                skops_trusted_types=self.trusted,
                signature=infer_signature(registration.seen),
                pip_requirements=[f"{name}=={installed(name)}" for name in PACKAGES],
            )

    def check_trust(self, found: Iterable[str]) -> None:
        """Raises ModelError where a model needs more types than the contract trusts."""
        unknown = sorted(set(found) - set(self.trusted))
        if unknown:
            raise ModelError(
                f"{self.model.name} is made of types that {self.model.file} does not trust: {', '.join(unknown)}. "
                "Look at what they do when they are loaded, then add them to trusted_types, or build the estimator without them."
            )

    def _log(self, registration: Registration, folder: str, tags: dict[str, str]) -> tuple[str, int]:
        from mlflow.entities import Metric, Param

        client = self._client
        run = client.create_run(self._experiment(), tags={**tags, "mlflow.runName": f"{self.model.name} {registration.run_id}"})
        run_id: str = run.info.run_id
        now = run.info.start_time
        try:
            client.log_batch(
                run_id,
                metrics=[Metric(name, value, now, 0) for name, value in registration.metrics.items()],
                params=[Param(name, str(value)) for name, value in registration.parameters.items()],
            )
            client.log_inputs(run_id, [_dataset(name, facts) for name, facts in registration.datasets.items()])
            client.log_artifacts(run_id, folder, "model")
            client.log_dict(run_id, registration.provenance, "provenance.json")
            for name, content in registration.pages.items():
                page = Path(folder).with_name(name)
                page.write_bytes(content)
                client.log_artifact(run_id, str(page), "evaluation")
            version = self._add_version(run_id, tags)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id)
        return run_id, version

    def _add_version(self, mlflow_run: str, tags: dict[str, str]) -> int:
        from mlflow.exceptions import MlflowException

        client, name = self._client, self.model.name
        try:
            client.create_registered_model(name, description=self.model.contract.description)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        for old in client.search_model_versions(f"name = '{name}'"):
            if old.tags.get(RUN_TAG) == tags[RUN_TAG]:
                client.delete_model_version(name, old.version)
        added = client.create_model_version(name, f"runs:/{mlflow_run}/model", mlflow_run, tags=tags)
        return int(added.version)

    def require_registry(self) -> None:
        """Raises TransientError where the MLflow server does not answer: its own client would try for minutes."""
        require_answer(self.model.name, tracking_address(self._ledger_url))

    @property
    def _client(self) -> MlflowClient:
        if self._known_client is None:
            self.require_registry()
            self._known_client = open_client(tracking_address(self._ledger_url))
        return self._known_client

    def _experiment(self) -> str:
        known = self._client.get_experiment_by_name(self.model.name)
        if known is not None:
            return str(known.experiment_id)
        return str(self._client.create_experiment(self.model.name, artifact_folder(tracking_address(self._ledger_url))))


def _dataset(table: str, facts: dict[str, Any]) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(name=table, digest=str(facts["sha256"])[:8], source_type="delta", source=json.dumps(facts))
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def frozen_files(location: str, entry: ModelEntry) -> list[Place]:
    """The Parquet files of the frozen training set: of scikit-learn's models it is one, of Spark ML's a folder.

    `location` is the folder of models. Raises ModelError where they are not the registered ones.
    """
    path, wanted = f"{location}/{entry.figures['training_set']}", entry.figures["training_set_sha256"]
    place, is_file = Place.of(path), str(entry.figures["file"]).endswith(MODEL_FILE)
    found = "" if not place.exists() else place.fingerprint()[0] if is_file else folder_sha256(path)
    if found != wanted:
        raise ModelError(f"{entry.model}: the training set {path} has sha256 {found or '(it is gone)'}, but {wanted} was registered; find out who changed it.")
    return [place] if is_file else [Place(place.system, f"{place.path}/{name}") for name in place.file_names() if name.endswith(".parquet")]
