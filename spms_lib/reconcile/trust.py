"""Trust: how far each source was off in the past, and so how large its variance is now."""

import numpy as np
import pandas as pd

from spms_lib.errors import ParamsError
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, VARIANCE

PRIOR_PERIODS = 6.0
NO_RECORD_ERROR_RATIO = 0.35
LEAST_ERROR_RATIO = 0.02
LARGEST_SQUARED = 4.0


def track_records(past: pd.DataFrame, actuals: pd.DataFrame, level: pd.Series) -> pd.DataFrame:
    """Compute each source's past error per node, shrunk towards its level.

    The error is the root mean square of (forecast - actual) / forecast, so it holds
    bias and noise alike, and can be applied to a new forecast. One period counts at most
    2.0, and so does a forecast of 0 that was wrong; one that was right counts 0. A node
    counts with its periods, its level with `PRIOR_PERIODS`.

    Parameters
    ----------
    past
        Columns node, period, source, value: forecasts made before the period.
    actuals
        Columns node, period, value.
    level
        Indexed by node: name of its level.

    Returns
    -------
    pd.DataFrame
        Columns source, node, periods, bias (forecast - actual, minor units, mean per
        period; positive is over-forecast), bias_ratio (sum of bias / sum of actuals),
        error_ratio (own), trust_error_ratio (shrunk; use this).
    """
    pairs = past.merge(actuals, on=[NODE, PERIOD], suffixes=("", "_actual"))
    said, came = pairs[VALUE].astype(float), pairs["value_actual"].astype(float)
    pairs["gap"] = said - came
    squared = (pairs["gap"] / said.where(said != 0)) ** 2
    squared = squared.where(said != 0, np.where(came == 0, 0.0, LARGEST_SQUARED))
    pairs["level"] = pairs[NODE].map(level)
    pairs["squared"] = squared.clip(upper=LARGEST_SQUARED)  # one freak month does not decide
    own = pairs.groupby([SOURCE, NODE]).agg(
        level=("level", "first"), periods=("gap", "size"), bias=("gap", "mean"), gap=("gap", "sum"),
        actual=("value_actual", "sum"), squared=("squared", "mean"),
    ).reset_index()  # fmt: skip
    pooled = pairs.groupby([SOURCE, "level"])["squared"].mean().rename("pooled")
    own = own.join(pooled, on=[SOURCE, "level"])
    mixed = (own["periods"] * own["squared"] + PRIOR_PERIODS * own["pooled"]) / (
        own["periods"] + PRIOR_PERIODS
    )
    return pd.DataFrame(
        {
            SOURCE: own[SOURCE],
            NODE: own[NODE],
            "periods": own["periods"],
            "bias": own["bias"],
            "bias_ratio": own["gap"] / own["actual"].where(own["actual"] != 0),
            "error_ratio": np.sqrt(own["squared"]),
            "trust_error_ratio": np.maximum(np.sqrt(mixed), LEAST_ERROR_RATIO),
        }
    )


def with_variance(
    estimates: pd.DataFrame, records: pd.DataFrame, level: pd.Series, *, leadership: float = 0.5
) -> pd.DataFrame:
    """Give every estimate a variance: (error ratio x value) squared, and turn the dial.

    A node without a record of its own gets the mean of its level, a level without one
    the mean of the source, and a source without any `NO_RECORD_ERROR_RATIO`.

    Parameters
    ----------
    estimates
        Columns node, period, source (`target`, `field`, `baseline`, ...), value.
    records
        From `track_records`.
    leadership
        The dial, 0 to 1: 0.5 leaves the evidence as it is, 1 trusts only the targets,
        0 only the field and the baseline, each as far as its evidence goes.

    Returns
    -------
    pd.DataFrame
        `estimates` with error_ratio, evidence (node, level, source or none) and variance
        (float, minor units squared; inf where the dial leaves a source out).
    """
    if not 0 <= leadership <= 1:
        raise ParamsError(f"The dial cannot stand at {leadership}.", where="leadership", remedy="Use 0 to 1.")
    own = records.set_index([SOURCE, NODE])["trust_error_ratio"]
    leveled = records.assign(level=records[NODE].map(level))
    by_level = leveled.groupby([SOURCE, "level"])["trust_error_ratio"].mean()
    by_source = records.groupby(SOURCE)["trust_error_ratio"].mean()
    keys = pd.MultiIndex.from_frame(estimates[[SOURCE, NODE]])
    level_keys = pd.MultiIndex.from_arrays([estimates[SOURCE], estimates[NODE].map(level)])
    options = pd.DataFrame(
        {
            "node": own.reindex(keys).to_numpy(),
            "level": by_level.reindex(level_keys).to_numpy(),
            "source": estimates[SOURCE].map(by_source).to_numpy(dtype=float),
            "none": NO_RECORD_ERROR_RATIO,
        },
        index=estimates.index,
    )
    ratio = options.bfill(axis=1)["node"]
    evidence = options.notna().idxmax(axis=1)
    scale = estimates[VALUE].abs().astype(float)
    typical = scale.groupby([estimates[SOURCE], estimates[PERIOD]]).transform("mean")
    typical = typical.where(typical > 0, scale.groupby(estimates[PERIOD]).transform("mean"))
    floor = np.maximum(typical * 0.01, 1.0)  # at least a minor unit: only a hold has no variance
    variance = (ratio * np.maximum(scale, floor)) ** 2
    target = estimates[SOURCE] == "target"
    with np.errstate(divide="ignore"):
        towards = np.divide(1.0 - leadership, leadership) if leadership else np.inf
        away = np.divide(leadership, 1.0 - leadership) if leadership < 1 else np.inf
    factor = pd.Series(np.where(target, towards, away), index=estimates.index)
    factor = factor.where(factor > 0, 1.0)  # at an end only one side speaks, and still not as a hold
    turned = variance.where(np.isfinite(factor), np.inf) * factor.where(np.isfinite(factor), 1.0)
    return estimates.assign(error_ratio=ratio, evidence=evidence, **{VARIANCE: turned})
