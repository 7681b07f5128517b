"""What runs inside Spark's Python workers. Travels by value: a worker needs scikit-learn and pyarrow, but not this package.

So what it takes from this project must travel by value too, as Grouped does, and what a function needs of the worker is imported inside it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

from expectations import file_systems
from expectations.file_systems import file_system_of
from spark_jobs.lake.learning.engines.grouped import Grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    Batches = Iterator[pd.DataFrame]
    Access = dict[str, str] | None
    """AWS's variables for a lake on S3, where the driver has them: a worker's own environment is its server's."""

for module in (file_systems, sys.modules[__name__]):
    cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]


def read_bytes(location: str, access: Access = None) -> bytes:
    """A whole file, from a local path or a URI."""
    system, path = file_system_of(location, access)
    with system.open_input_stream(path) as stream:
        return bytes(stream.read())


def write_whole(location: str, text: str, access: Access = None) -> None:
    """Write a small file whole, to a local path or a URI whose folder is there: readers see all of it or nothing."""
    import uuid

    system, path = file_system_of(location, access)
    draft = f"{path}.{uuid.uuid4().hex}.draft"
    with system.open_output_stream(draft) as stream:
        stream.write(text.encode())
    system.move(draft, path)


def read_model(location: str, sha256: str, trusted: list[str], access: Access = None) -> Any:
    """The fitted estimator in a skops file. Raises ValueError where the bytes or a type in them are not the expected ones."""
    import hashlib

    import skops.io

    data = read_bytes(location, access)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(f"{location} has sha256 {found}, but {sha256} was registered")
    unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(trusted))
    if unknown:
        raise ValueError(f"{location} holds types that the contract does not trust: {', '.join(unknown)}")
    estimator = skops.io.loads(data, trusted=trusted)
    return Grouped.of(estimator) if isinstance(estimator, dict) else estimator


def model_of_process(location: str, sha256: str, trusted: list[str], access: Access = None) -> Any:
    """The estimator, read once a process."""
    return kept_in_process("_lake_models", f"{sha256} {sorted(trusted)}", lambda: read_model(location, sha256, trusted, access))


def kept_in_process(name: str, key: str, read: Callable[[], Any]) -> Any:
    """What `read` gives, read once a process: Spark uses its Python workers again. Only the last one is kept."""
    import types

    # This module travels by value, so its own variables would not outlive a task.
    kept: Any = sys.modules.setdefault(name, types.ModuleType(name))
    if key not in kept.__dict__:
        kept.__dict__.clear()
        kept.__dict__[key] = read()
    return kept.__dict__[key]
