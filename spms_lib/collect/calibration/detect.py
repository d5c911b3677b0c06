"""Who forecasts low or high: names with a stated rate of error, and signals beside them."""

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.collect.calibration.bias import OWN, Biases
from spms_lib.collect.calibration.record import COMMIT_FORECAST, FORECASTER
from spms_lib.errors import ParamsError
from spms_lib.tables import CATEGORY, need

LOW, HIGH = "low", "high"


def forecasts_off(
    biases: Biases | None, *, material: float = 0.05, false_discovery: float = 0.1
) -> pd.DataFrame:
    """List who forecasts low or high by a material amount, so that few of the names listed are wrong.

    For each forecaster with an own record, the chance that the bias is beyond `material` in its direction follows from
    the estimate and its spread. A name is listed where that chance is 1 - `false_discovery` at least (the local false
    discovery rate), so that every single name is as sure as the rate says, and the list as a whole surer. A list filled
    up until its mean chance of error reaches the rate would be longer, but relies on biases being normally distributed:
    in simulated companies it held 15 % wrong names at a stated 10 %. Being listed says nothing of why.

    Parameters
    ----------
    material
        Ratio of bias to actual that matters; below it nobody is named.
    false_discovery
        Largest chance of a name to be wrong, and so the largest expected share of wrong names among those listed.

    Returns
    -------
    pd.DataFrame
        Indexed by forecaster, surest first: team, months, bias_ratio, ratio_low, ratio_high, direction (low or high),
        chance (that the bias is material in that direction), wrong (expected share of wrong names down to this one),
        listed (bool).

    Raises
    ------
    ParamsError
        If the material size is not above 0 and below 1.

    References
    ----------
    Efron (2007), Size, power and false discovery rates.
    """
    if not 0 < material < 1:
        raise ParamsError(
            f"A bias cannot be material from {material} on.", where="material", remedy="Use 0.05."
        )
    columns = ["team", "months", "bias_ratio", "ratio_low", "ratio_high"]
    if biases is None:
        return pd.DataFrame(columns=[*columns, "direction", "chance", "wrong", "listed"])
    people = biases.people[biases.people["evidence"] == OWN]
    sd = ((people["sd_own"] ** 2 + people["sd_shared"] ** 2) ** 0.5).clip(lower=1e-12)
    above = stats.t.sf((np.log1p(material) - people["bias"]) / sd, people["df"])
    below = stats.t.cdf((np.log1p(-material) - people["bias"]) / sd, people["df"])
    table = people[columns].assign(
        direction=np.where(people["bias"] > 0, HIGH, LOW), chance=np.where(people["bias"] > 0, above, below)
    )
    table = table.sort_values("chance", ascending=False, kind="stable")
    wrong = (1.0 - table["chance"]).expanding().mean()
    return table.assign(wrong=wrong, listed=table["chance"] >= 1.0 - false_discovery)


def signals(record: pd.DataFrame, *, within: float = 0.1, late_new: pd.Series | None = None) -> pd.DataFrame:
    """Gather what the trade looks at beside the bias; none of it proves anything alone.

    Parameters
    ----------
    record
        From `track_record`, all categories.
    within
        Ratio by which an actual must pass the forecast to count as over or under.
    late_new
        Indexed by forecaster: share of sales from deals first seen late in the quarter.

    Returns
    -------
    pd.DataFrame
        Indexed by forecaster: over (share of months in which the actual passed the own commit forecast by more than
        `within`), under (fell short of it by more), commit_to_pipeline (commit / open commit, best case and pipeline),
        late_new_share (missing where not known).
    """
    need(record, [FORECASTER, CATEGORY, "forecast", "actual"], "record")
    main = record[(record[CATEGORY] == COMMIT_FORECAST) & record["actual"].notna() & (record["forecast"] > 0)]
    ratio = main["actual"] / main["forecast"]
    flags = pd.DataFrame({"over": ratio > 1 + within, "under": ratio < 1 - within})
    table = flags.groupby(main[FORECASTER]).mean()
    sums = record.pivot_table(index=FORECASTER, columns=CATEGORY, values="forecast", aggfunc="sum")
    sums = sums.reindex(columns=[COMMIT_FORECAST, "commit", "pipeline"])
    still_open = sums["pipeline"] - (sums[COMMIT_FORECAST] - sums["commit"])
    table["commit_to_pipeline"] = sums["commit"] / still_open.where(still_open > 0)
    table["late_new_share"] = np.nan if late_new is None else late_new.reindex(table.index)
    return table
