"""Examines on Dask what a registered version learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from expectations.errors import RequestError
from expectations.jobs import JobResult
from expectations.model_versions import version_of
from expectations.storage import Place
from spark_jobs.lake.learning.engines.clusters import dask_client
from spark_jobs.lake.learning.examples import DAY
from spark_jobs.lake.learning.registry.model_store import frozen_files

if TYPE_CHECKING:
    from expectations.jobs import JobRequest
    from expectations.lake import Lake
    from expectations.ledger import Ledger, ModelEntry
    from expectations.settings import Settings

COMMONEST = 20
"""So many values of a text have a column each."""


def examine(settings: Settings, lake: Lake, ledger: Ledger, request: JobRequest) -> JobResult:
    """Show what each input of a version (the champion, where none is named) is worth, and write it beside the training set, as inputs.csv.

    Raises RequestError where there is no such version and where Dask is not installed, ModelError where the training set is not the registered one.
    """
    model = lake.model(request.name)
    entry = ledger.champion(model.name) if request.version is None else version_of(ledger, model, request.version)
    if entry is None:
        raise RequestError(f"{model.name} has no champion yet; name a version with --version, or train it first.")
    found = worth_of_inputs(settings.models_path, entry, model.contract.target)
    page = f"{settings.models_path}/{entry.figures['training_set'].rpartition('/')[0]}/inputs.csv"
    Place.of(page).write_text(found.to_csv(index=False))
    shown = found.to_string(index=False, na_rep="").splitlines()
    return JobResult(request=request, status="done", message=f"{model.name} v{entry.version}: written to {page}", facts={"shown": shown})


def worth_of_inputs(location: str, entry: ModelEntry, target: str) -> pd.DataFrame:
    """One row for each column that the inputs make, in the days that were learned from; `location` is the folder of models.

    `missing` is a share, `mean` and `deviation` are those of the known values. `with <target>` is Pearson's correlation, to which what is missing adds
    nothing, and 0 for a column that never changes; `closest` is the column of another input that it goes with most, by `closest_by`. Raises
    ModelError where the training set is not the registered one, RequestError where Dask is not installed.
    """
    try:
        import dask.dataframe as dd
    except ImportError:
        raise RequestError("examine needs Dask, which is not installed here; install the extra .[dask].") from None
    figures, files = entry.figures, frozen_files(location, entry)
    first_test_day = figures.get("provenance", {}).get("first_test_day", figures["test_days"][:10])
    with dask_client() as client:
        rows: Any = dd.read_parquet([file.path for file in files], filesystem=files[0].system)
        of, numbers = _as_numbers(client, rows[rows[DAY] < first_test_day], [*figures["inputs"], target])
        missing, mean, deviation, correlation = _relations(client, numbers)
    found = pd.DataFrame({"column": of.index, "missing": missing, "mean": mean, "deviation": deviation})
    goes_with = pd.DataFrame(correlation, index=of.index, columns=of.index).round(6) + 0.0  # no minus before a zero
    for name in of.index[of == target]:
        found[f"with {name}"] = goes_with[name].to_numpy()
    others = goes_with.where((of.to_numpy() != target) & (of.to_numpy()[:, None] != of.to_numpy()) & (goes_with != 0))
    found["closest"] = [row.abs().idxmax() if row.notna().any() else None for _, row in others.iterrows()]
    found["closest_by"] = [goes_with.at[*pair] if pair[1] else None for pair in zip(of.index, found["closest"], strict=True)]
    return found[(of != target).to_numpy()].round(6)


def _as_numbers(client: Any, rows: Any, names: list[str]) -> tuple[pd.Series, Any]:
    """What each column is of, and a Dask array of them: a number is one column, a text one of 0 and 1 for each of its commonest values."""
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(rows[name].dtype)]
    counted = client.gather(client.compute([rows[name].value_counts().nlargest(COMMONEST) for name in texts]))
    of, made = {}, {}
    for name, value in [(name, value) for name, counts in zip(texts, counted, strict=True) for value in sorted(counts.index)]:
        of[f"{name}={value}"] = name
        made[f"{name}={value}"] = rows[name].eq(value).fillna(False).astype("float64").mask(rows[name].isna())
    for name in [name for name in names if name not in texts]:
        of[name], made[name] = name, rows[name].astype("float64")
    return pd.Series(of), rows.assign(**made)[list(made)].to_dask_array().compute_chunk_sizes()


def _relations(client: Any, numbers: Any) -> list[Any]:
    """Of each column the share that is missing, mean and standard deviation; and the matrix of correlations."""
    import dask.array as da

    known, mean, deviation = ~da.isnan(numbers), da.nanmean(numbers, axis=0), da.nanstd(numbers, axis=0)
    centred = da.where(known, numbers - mean, 0.0)
    changes = deviation > 1e-9 * da.fabs(mean)  # the mean of equal numbers is not quite that number
    standard = centred / da.where(changes, da.sqrt((centred**2).sum(axis=0)), 1.0)
    return list(client.gather(client.compute([1 - known.mean(axis=0), mean, deviation, standard.T @ standard])))
