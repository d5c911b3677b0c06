"""Trials of win rates: which rule would have been nearest in past periods, deal by deal and in money."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.collect.outcomes import as_known, outcomes
from spms_lib.collect.win_rates import KEYS, expected_wins, learn_win_rates, rate_deals

OWN: Final = "own rates"
OWN_BY_AMOUNT: Final = "own rates by amount"
ONE_RATE: Final = "one win rate"
STAGE_PROBABILITY: Final = "probability in the CRM"
LEAST_PERIODS: Final = 2

Span = tuple[dt.date, dt.date]


def past_outcomes(
    opportunities: pd.DataFrame, periods: Mapping[str, Span], *, days_left: int, known_by: dt.date
) -> pd.DataFrame:
    """Gather what became of open deals in past periods, each seen with as many days left as now.

    Parameters
    ----------
    periods
        Name to first and last day, in the order of time.
    days_left
        Days from the day of looking to the end of a period.
    known_by
        Day until which anything is known; periods that end later are left out.

    Returns
    -------
    pd.DataFrame
        See `outcomes`, and period.
    """
    parts = []
    seen = as_known(opportunities, by=known_by)
    for name, (first_day, last_day) in periods.items():
        if last_day <= known_by:
            day = last_day - dt.timedelta(days=days_left)
            rows = outcomes(seen, day=day, first_day=first_day, last_day=last_day, known_by=known_by)
            parts.append(rows.assign(period=name))
    some = [part for part in parts if len(part)]
    return (
        pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=[*KEYS, "due", "won", "period"])
    )


def try_win_rates(
    opportunities: pd.DataFrame,
    periods: Mapping[str, Span],
    *,
    days_left: int,
    known_by: dt.date,
    one_rate: Callable[[dt.date], tuple[float, float]],
    keys: Sequence[str] = KEYS,
) -> pd.DataFrame:
    """Stand in each past period in turn, expect wins by four rules, and compare with what came.

    Own rates are learnt from earlier periods only, as known on that day.

    Parameters
    ----------
    one_rate
        The company's win rate as known on a day: by count, by amount.

    Returns
    -------
    pd.DataFrame
        Columns period, rule, deals, brier (mean square of chance - won; lower is better), expected
        and won (minor units), bias_ratio (expected / won - 1; positive: too much expected; missing
        where nothing was won), low and high (the 90 % interval of own rates; missing for others). Deals without a probability are left out of that rule alone.
    """
    found = []
    for at, (name, (first_day, last_day)) in enumerate(periods.items()):
        day = last_day - dt.timedelta(days=days_left)
        came = outcomes(opportunities, day=day, first_day=first_day, last_day=last_day, known_by=known_by)
        past = past_outcomes(
            opportunities, dict(list(periods.items())[:at]), days_left=days_left, known_by=day
        )
        if came.empty or past["period"].nunique() < LEAST_PERIODS:
            continue
        rated = rate_deals(learn_win_rates(past, keys=keys), came)
        if rated.empty:
            continue
        by_count, by_amount = one_rate(day)
        same = pd.Series(1.0, index=rated.index)
        rules = {
            OWN: (rated["rate"], rated["rate"]),
            **(
                {OWN_BY_AMOUNT: (rated["rate"], rated["by_amount"])}
                if rated["by_amount"].notna().all()
                else {}
            ),
            ONE_RATE: (same * by_count, same * by_amount),
            STAGE_PROBABILITY: (rated["probability"], rated["probability"]),
        }
        table = pd.DataFrame([_scored(rule, rated, *chances) for rule, chances in rules.items()])
        table[["low", "high"]] = np.nan
        if rated["amount"].notna().all():
            whole = expected_wins(rated, pd.Series("all", index=rated["node"].unique()))
            table.loc[table["rule"] == OWN, ["low", "high"]] = whole[["low", "high"]].to_numpy()
        found.append(table.assign(period=name))
    columns = ["period", "rule", "deals", "brier", "expected", "won", "bias_ratio", "low", "high"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _scored(rule: str, rated: pd.DataFrame, chance: pd.Series, share: pd.Series) -> dict[str, object]:
    known = chance.notna() & share.notna() & rated["amount"].notna()
    expected = float((rated["amount"].astype("float64") * share)[known].sum())
    won = float(rated["won_amount"].astype("float64")[known].sum())
    squares = (chance - rated["won"].astype("float64"))[chance.notna()] ** 2
    return {
        "rule": rule,
        "deals": len(squares),
        "brier": float(squares.mean()) if len(squares) else np.nan,
        "expected": expected if known.any() else np.nan,
        "won": won if known.any() else np.nan,
        "bias_ratio": expected / won - 1 if won > 0 else np.nan,
    }


def summed_up(trials: pd.DataFrame) -> pd.DataFrame:
    """Sum trials up by rule, best first: rule, periods, deals, brier, expected, won, bias_ratio, error_ratio.

    error_ratio = sum of |expected - won| by period / sum of won: a rule may be right on average and
    wrong every time. The rule with the smallest one stands first; without amounts, with the smallest brier.
    """
    rows = trials.assign(
        squares=trials["brier"] * trials["deals"], miss=(trials["expected"] - trials["won"]).abs()
    )
    rows = rows[rows["deals"] > 0]
    groups = rows.groupby("rule", sort=False)
    sums = groups[["deals", "squares", "expected", "won", "miss"]].sum(min_count=1)
    total = sums.assign(periods=groups["period"].nunique()).reset_index()
    paid = total["won"].where(total["won"] > 0)
    total = total.assign(
        brier=total["squares"] / total["deals"],
        bias_ratio=total["expected"] / paid - 1,
        error_ratio=total["miss"] / paid,
    )
    shown = ["rule", "periods", "deals", "brier", "expected", "won", "bias_ratio", "error_ratio"]
    return total.sort_values(["error_ratio", "brier"], kind="stable", ignore_index=True)[shown]
