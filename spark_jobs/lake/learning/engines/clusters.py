"""The same search on a Dask or a Ray cluster: the one whose address is set, else one on this machine, with a worker a core.

Both read the examples from the search's folder and keep each finished fit there, as Spark's workers do.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from expectations import file_systems
from expectations.errors import ContractError, TransientError
from spark_jobs.lake.learning import worker
from spark_jobs.lake.learning.engines import fitting_worker, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    import pandas as pd

    Task = Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]
    Outcome = dict[str, Any]
    """`score`, `seconds` and `error` of a fit; `lost`, and true, where it is not known what the fit would have given."""

DASK_ADDRESS, RAY_ADDRESS = "LAKE_DASK_ADDRESS", "LAKE_RAY_ADDRESS"
"""Environment variables: tcp://host:8786 of a Dask scheduler, host:6379 of a Ray head."""
RAY_STARTS = 3
SHIPPED: tuple[ModuleType, ...] = (file_systems, worker, grouped, fitting_worker, sys.modules[__name__])
"""What travels by value: a cluster's workers need not have this package."""


def fit_on_dask(task: Task, count: int) -> list[Outcome]:
    """The outcomes of `count` fits of a fitting_task, in order, by joblib on Dask. Raises ContractError where Dask is not installed."""
    try:
        import cloudpickle
        import distributed  # noqa: F401 - what joblib's backend needs
        import joblib
    except ImportError:
        raise _missing("dask") from None
    for module in SHIPPED:
        cloudpickle.register_pickle_by_value(module)
    with dask_client() as client, joblib.parallel_config(backend="dask", client=client, wait_for_workers_timeout=60):
        return list(joblib.Parallel()(joblib.delayed(one_fit)(task, position) for position in range(count)))


@contextmanager
def dask_client() -> Iterator[Any]:
    """A client of the Dask cluster, by which all that Dask computes meanwhile is computed. Raises ImportError where Dask is not installed."""
    from distributed import Client, LocalCluster

    start: Any = LocalCluster  # these have no types
    connect: Any = Client
    with ExitStack() as stack:
        address = os.environ.get(DASK_ADDRESS) or stack.enter_context(start(n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=None))
        yield stack.enter_context(connect(address))


def fit_on_ray(task: Task, count: int) -> list[Outcome]:
    """The outcomes of `count` fits of a fitting_task, in order, a Ray task each. One whose process died is `lost`.

    Raises ContractError where Ray is not installed.
    """
    with ray_cluster() as ray:
        fit, shared = ray.remote(num_cpus=1, max_retries=0)(one_fit), ray.put(task)
        waiting, outcomes = [fit.remote(shared, position) for position in range(count)], []
        for one in waiting:
            try:
                outcomes.append(ray.get(one))
            except ray.exceptions.RayError as error:
                outcomes.append(_lost(error))
    return outcomes


def climb_on_ray(task: Task, known: list[list[Outcome | None]], factor: int) -> list[list[Outcome]]:
    """For each candidate the outcomes of its folds, by Ray Tune with ASHA: after 1, `factor`, `factor`² … folds only the best 1/`factor` go on.

    `known` has for each candidate and fold the outcome that needs no fit. The last outcome of a candidate whose process died is `lost`.
    Raises ContractError where Ray is not installed.
    Source: Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020.
    """
    folds = len(known[0])

    def candidate(config: dict[str, Any]) -> None:
        scores, rows = [], []
        for fold, outcome in enumerate(known[config["candidate"]]):
            rows.append(outcome or one_fit(task, config["candidate"] * folds + fold))
            score = rows[-1]["score"]
            scores.append(float("-inf") if score is None else score)
            tune.report({"mean": sum(scores) / len(scores), "outcomes": list(rows)})

    with ray_cluster():
        from ray import tune

        asha = tune.schedulers.ASHAScheduler(max_t=folds, grace_period=1, reduction_factor=factor)
        found = tune.Tuner(
            tune.with_resources(candidate, {"cpu": 1}),
            param_space={"candidate": tune.grid_search(list(range(len(known))))},
            tune_config=tune.TuneConfig(metric="mean", mode="max", scheduler=asha),
            run_config=tune.RunConfig(verbose=0),
        ).fit()
        ended = {(result.config or {})["candidate"]: result for result in (found[position] for position in range(len(found)))}
    # one that died before its first fold ended has no metrics of ours
    reported = {position: (result.metrics or {}).get("outcomes", []) for position, result in ended.items()}
    lost = {position: [_lost(result.error)] for position, result in ended.items() if result.error}
    return [[*reported[position], *lost.get(position, [])] for position in range(len(known))]


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """Ray, connected; one that this process is connected to already is used and left.

    Raises ContractError where Ray is not installed, TransientError where it does not start here.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        from ray import cloudpickle
    except ImportError:
        raise _missing("ray") from None
    for module in SHIPPED:
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    with ExitStack() as stack:
        if not ray.is_initialized():
            stack.callback(ray.shutdown)
            _connect(ray, os.environ.get(RAY_ADDRESS))
        yield ray


def _connect(ray: Any, address: str | None) -> None:
    """To the Ray at this address, else to one that is started here.

    Ray gives a node that it starts 30 s, a number that cannot be set; a busy machine may need more, so it has three attempts.
    """
    settings: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "configure_logging": False}
    if address:
        ray.init(address=address, **settings)
        return
    for _ in range(RAY_STARTS):
        try:
            ray.init(address="local", num_cpus=os.cpu_count(), **settings)
        except Exception as error:  # it raises no narrower one
            if "timed out during startup" not in str(error):
                raise
            ray.shutdown()
        else:
            return
    raise TransientError(
        f"Ray did not start on this machine in {RAY_STARTS} attempts of 30 s: too much else runs here, or it ends at once (logs: /tmp/ray). "
        f"Train again when less runs, or set {RAY_ADDRESS} to a cluster's address."
    )


def one_fit(task: Task, position: int) -> Outcome:
    """The outcome of the fit at this position of a fitting_task."""
    import pandas

    row = next(iter(task(iter([pandas.DataFrame({"id": [position]})])))).iloc[0]
    return {"score": None if pandas.isna(row["score"]) else float(row["score"]), "seconds": float(row["seconds"]), "error": row["error"]}


def _lost(error: Exception) -> Outcome:
    """That of a fit whose process died, or could not read its examples."""
    cause = getattr(error, "cause", None) or error
    return {"score": None, "seconds": 0.0, "error": f"{type(cause).__name__}: {' '.join(str(cause).split())}", "lost": True}


def _missing(extra: str) -> ContractError:
    return ContractError(f"the contract says search_on: {extra}, which is not installed here; install the extra .[{extra}], or write search_on: spark.")
