"""Corrected forecasts: raw beside corrected, with how far each may be off alone and together with all others."""

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.collect.calibration.bias import COMPANY, NONE, Biases, learn_bias
from spms_lib.collect.calibration.record import FORECASTER, QUARTER
from spms_lib.tables import NODE, PERIOD, VALUE, need

PARTS = ("variance_month", "variance_seat", "variance_market", "variance_common")


def corrected(estimates: pd.DataFrame, biases: Biases | None, *, team: pd.Series) -> pd.DataFrame:
    """Take the learned bias out of forecasts, and say how far the result may still be off.

    corrected = raw x exp(-bias), the middle of what may come. Somebody without an own record is corrected by the team's,
    a team without one by the company's; where nobody has a past the factor is 1 and the variance missing. The variance
    is that of the log ratio times corrected squared (delta method), in four parts, because errors of different
    forecasters are not independent: see `variance_of_sum`.

    Parameters
    ----------
    estimates
        Columns node, period, forecaster, value (minor units).
    biases
        From `learn_bias`, of forecasts at the same lead.
    team
        Indexed by node: as in `learn_bias`.

    Returns
    -------
    pd.DataFrame
        Columns node, period, forecaster, raw, corrected, factor, factor_low, factor_high (interval of the factor), low,
        high (where the actual may lie), evidence (own, team, company or none), variance_month (of single months),
        variance_seat (a person's quarter and the person's own bias), variance_market (of the market in the quarter),
        variance_common (of the quarter and of biases in common), variance_own (month + seat) and variance (all), minor
        units squared. A forecast of 0 stays 0 and has no variance: a ratio says nothing of it.

    Raises
    ------
    TableError
        If a column is missing.
    """
    need(estimates, [NODE, PERIOD, FORECASTER, VALUE], "estimates")
    rows = estimates[[NODE, PERIOD, FORECASTER]].reset_index(drop=True)
    raw = estimates[VALUE].to_numpy(dtype=np.float64)
    rows["raw"] = raw
    if biases is None:
        empty = dict.fromkeys((*("factor_low", "factor_high", "low", "high"), *PARTS), np.nan)
        rows = rows.assign(corrected=raw, factor=1.0, evidence=NONE, **empty)
    else:
        known = _known(rows, biases, team)
        spread = biases.spread
        logs = {
            "variance_month": spread["month"] ** 2,
            "variance_seat": known["sd_own"] ** 2 + spread["seat"] ** 2,
            "variance_market": spread["market"] ** 2,
            "variance_common": known["sd_shared"] ** 2 + spread["quarter"] ** 2,
        }
        rows["factor"] = np.exp(-known["bias"])
        rows["factor_low"], rows["factor_high"] = np.exp(-known["high"]), np.exp(-known["low"])
        rows["corrected"] = raw * rows["factor"]
        size = (rows["corrected"] ** 2).where(rows["corrected"] != 0)
        reach = stats.norm.ppf(0.5 + biases.cover / 2) * np.sqrt(sum(logs.values()))
        rows["low"], rows["high"] = rows["corrected"] * np.exp(-reach), rows["corrected"] * np.exp(reach)
        rows = rows.assign(**{name: size * value for name, value in logs.items()}, evidence=known["evidence"])
    rows["variance_own"] = rows["variance_month"] + rows["variance_seat"]
    rows["variance"] = rows[list(PARTS)].sum(axis=1, skipna=False)
    order = [
        NODE,
        PERIOD,
        FORECASTER,
        "raw",
        "corrected",
        "factor",
        "factor_low",
        "factor_high",
        "low",
        "high",
    ]
    return rows[[*order, "evidence", *PARTS, "variance_own", "variance"]]


def variance_of_sum(rows: pd.DataFrame, *, by: pd.Series, market: pd.Series) -> pd.Series:
    """Say how far the sum of corrected forecasts may be off: common errors add up, own ones partly cancel.

    Months of a person share the person's error, persons of a market the market's, and all share the quarter's; so
    standard deviations add up within those groups, and variances between them.

    Parameters
    ----------
    rows
        From `corrected`, of one quarter.
    by
        Indexed like `rows`: the group that is summed.
    market
        Indexed by node: as in `learn_bias`.

    Returns
    -------
    pd.Series
        Indexed by group: variance of the sum, minor units squared.
    """
    sd = rows[list(PARTS)] ** 0.5
    group = by.rename("group")
    months = rows["variance_month"].groupby(group).sum()
    seat = sd["variance_seat"].groupby([group, rows[NODE]]).sum() ** 2
    markets = sd["variance_market"].groupby([group, rows[NODE].map(market)]).sum() ** 2
    common = sd["variance_common"].groupby(group).sum() ** 2
    total: pd.Series = months + seat.groupby(level=0).sum() + markets.groupby(level=0).sum() + common
    return total.rename("variance")


def walk_forward(
    record: pd.DataFrame,
    *,
    team: pd.Series,
    market: pd.Series,
    half_life: float = 4.0,
    least_history: int = 6,
    first: int = 2,
) -> pd.DataFrame:
    """Correct every past quarter from what was known before it: the fair trial of the correction.

    Parameters
    ----------
    record
        Rows of one category of `track_record`, with actuals.
    first
        Quarters that must lie before one that is tried.

    Returns
    -------
    pd.DataFrame
        As from `corrected`, with quarter and actual; no rows for the first quarters.
    """
    quarters = sorted(record[QUARTER].unique())
    parts = []
    for at in range(first, len(quarters)):
        before = record[record[QUARTER].isin(quarters[:at])]
        now = record[(record[QUARTER] == quarters[at]) & record["actual"].notna()]
        biases = learn_bias(
            before, team=team, market=market, half_life=half_life, least_history=least_history
        )
        found = corrected(now.rename(columns={"forecast": VALUE}), biases, team=team)
        parts.append(found.assign(**{QUARTER: quarters[at]}, actual=now["actual"].to_numpy(dtype=np.float64)))
    if parts:
        return pd.concat(parts, ignore_index=True)
    nothing = corrected(record.head(0).rename(columns={"forecast": VALUE}), None, team=team)
    return nothing.assign(quarter="", actual=np.nan)


def _known(rows: pd.DataFrame, biases: Biases, team: pd.Series) -> pd.DataFrame:
    """Find the best evidence for each row: the person's, else the team's, else the company's."""
    columns = ["bias", "low", "high", "sd_own", "sd_shared", "evidence"]
    new = biases.newcomers[columns]
    homes = rows[NODE].map(team).astype(str)
    own = biases.people[columns].reindex(rows[FORECASTER]).reset_index(drop=True)
    by_team = new.reindex(homes.where(homes.isin(new.index), COMPANY)).reset_index(drop=True)
    return own.where(own["evidence"].notna(), by_team)
