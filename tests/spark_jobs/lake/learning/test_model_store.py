"""A model file is loaded only if it is the registered one and holds only types that the contract trusts."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from expectations.errors import ModelError
from expectations.loader import load_lake
from expectations.settings import Settings
from spark_jobs.lake.learning.registry.mlflow_registry import artifact_folder, tracking_address
from spark_jobs.lake.learning.registry.model_store import ModelStore, Registration

if TYPE_CHECKING:
    from collections.abc import Callable

SEEN = np.arange(40.0).reshape(20, 2)
TRUTH = np.arange(20) % 2


def store(root: Path) -> ModelStore:
    """The store of the sample's model, with its list of trusted types."""
    settings = Settings(root, "dev", str(root), "", f"sqlite:///{root}/ledger.db", "spark_lake", schedule=True)
    return ModelStore(settings, load_lake().model("flight_delay"))


def kept(root: Path, estimator: Any) -> str:
    """Keep a model file as `m/model.skops`; its sha256."""
    file = root / "_models" / "m" / "model.skops"
    file.parent.mkdir(parents=True)
    skops.io.dump(estimator, file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_model_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    model = LogisticRegression().fit(SEEN, TRUTH)
    sha256 = kept(tmp_path, model)
    loaded = store(tmp_path).load("m/model.skops", sha256)
    assert np.array_equal(loaded.predict_proba(SEEN), model.predict_proba(SEEN))


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, LogisticRegression().fit(SEEN, TRUTH))
    file = tmp_path / "_models" / "m" / "model.skops"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match=f"has sha256 .* but {sha256} was registered"):
        store(tmp_path).load("m/model.skops", sha256)


class Stranger(LogisticRegression):  # type: ignore[misc]
    """A type that no contract trusts."""


def test_a_type_that_the_contract_does_not_trust_is_refused(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, Stranger().fit(SEEN, TRUTH))
    with pytest.raises(ModelError, match=r"types that the contract does not trust: .*Stranger"):
        store(tmp_path).load("m/model.skops", sha256)


class Command:
    """What an attacker pickles."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def hostile_skops(command: str) -> bytes:
    """A well-formed skops file whose load calls os.system: skops calls the class of such a node with the node's content."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps((command,)))) as harmless:
        content = json.loads(harmless.read("schema.json"))
    schema = {"__class__": "system", "__module__": "os", "__loader__": "ConstructorFromReduceNode", "content": content, "__id__": 0}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("schema.json", json.dumps({**schema, "protocol": content["protocol"], "_skops_version": content["_skops_version"]}))
    return data.getvalue()


def hostile_pickle(command: str) -> bytes:
    """A pickle that calls os.system."""
    return pickle.dumps(Command(command))


def test_the_hostile_files_of_these_tests_would_run_their_command(tmp_path: Path) -> None:
    for name, load in (("a", lambda c: skops.io.loads(hostile_skops(c), trusted=["os.system"])), ("b", lambda c: pickle.loads(hostile_pickle(c)))):  # noqa: S301
        load(f"touch {tmp_path}/{name}")
        assert (tmp_path / name).exists()


@pytest.mark.parametrize("hostile", [hostile_skops, hostile_pickle])
def test_a_file_that_would_run_a_command_when_it_is_loaded_is_refused_even_under_its_registered_sum(tmp_path: Path, hostile: Callable[[str], bytes]) -> None:
    file = tmp_path / "_models" / "m" / "model.skops"
    file.parent.mkdir(parents=True)
    file.write_bytes(hostile(f"touch {tmp_path}/ran"))
    with pytest.raises(ModelError, match=r"^flight_delay: the model file is refused: .* Train again, or find out who changed it\.$") as refused:
        store(tmp_path).load("m/model.skops", hashlib.sha256(file.read_bytes()).hexdigest())
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "ran").exists()


def test_mlflow_may_not_unpickle_in_a_process_that_registers_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    (tmp_path / "mlflow.db").touch()
    assert store(tmp_path)._client is not None
    from mlflow.environment_variables import MLFLOW_ALLOW_PICKLE_DESERIALIZATION

    assert MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get() is False


def test_a_file_that_is_gone_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is gone; train again"):
        store(tmp_path).load("m/model.skops", "0" * 64)


def test_an_untrusted_estimator_is_told_before_it_is_registered(tmp_path: Path) -> None:
    examples = pd.DataFrame(SEEN, columns=["a", "b"])
    with pytest.raises(ModelError, match=r"^flight_delay is made of types that .* does not trust: .*Stranger\. Look at what they do"):
        store(tmp_path).register(Registration("run", Stranger().fit(SEEN, TRUTH), examples, examples, {}, {}, {}))
    trees = skops.io.dumps(HistGradientBoostingClassifier(max_iter=1).fit(SEEN, TRUTH))
    store(tmp_path).check_trust(skops.io.get_untrusted_types(data=trees))


def test_the_registry_is_beside_the_ledger_unless_mlflow_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_address("sqlite:////lake/state/ledger.db") == "sqlite:////lake/state/mlflow.db"
    assert artifact_folder("sqlite:////lake/state/mlflow.db") == "file:///lake/state/mlflow-artifacts"
    with pytest.raises(ModelError, match="MLFLOW_TRACKING_URI is not set"):
        tracking_address("postgresql://user@host/db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert (tracking_address("sqlite:////l.db"), artifact_folder("http://127.0.0.1:5000")) == ("http://127.0.0.1:5000", None)
