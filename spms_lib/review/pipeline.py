"""Open deals against what is still to be sold: win rate and coverage.

Conventions: coverage = open pipeline / *remaining* quota; what some of the trade calls so, open
pipeline / *full* quota, is shown beside it under its own name. required = (1 + slippage) / win rate.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.deals import open_deals, snapshot
from spms_lib.errors import ParamsError
from spms_lib.review._frames import cents, need_unique, ratio
from spms_lib.tables import AS_OF, NODE, need

AMOUNT: Final = "amount"
WEIGHTED: Final = "weighted"
REMAINING: Final = "remaining"
WIN_RATE: Final = "win_rate"
COVERAGE_RATIO: Final = "coverage_ratio"
FULL_QUOTA_RATIO: Final = "full_quota_ratio"
REQUIRED_RATIO: Final = "required_ratio"
STATE: Final = "state"

QUOTA_MET: Final = "quota met"
COVERED: Final = "covered"
SHORT: Final = "short"
NO_DATA: Final = "no data"


def open_pipeline(
    opportunities: pd.DataFrame, *, as_of: dt.date, first_day: dt.date, last_day: dt.date
) -> pd.DataFrame:
    """Add up each node's open deals that can close in a period: see `open_deals`.

    Parameters
    ----------
    opportunities
        The table of that name; its last snapshot by `as_of` counts.
    first_day, last_day
        The period, both days included.

    Returns
    -------
    pd.DataFrame
        node, deals, amount (int64), weighted (Int64, amount x probability, an estimate), and
        without_probability (deals that are in the amount, but nobody has said how likely; if all
        of a node's are, weighted is null). In order of node.
    """
    need(opportunities, [NODE, "status", AMOUNT, "close_date"], "opportunities")
    deals = open_deals(snapshot(opportunities, as_of=as_of))
    inside = deals["closes"].between(pd.Timestamp(first_day), pd.Timestamp(last_day))
    sized = deals[inside].sort_values([NODE, AMOUNT], kind="stable")
    sized = sized.assign(without=sized[WEIGHTED].isna())
    groups = sized.groupby(NODE, sort=True)
    return pd.DataFrame(
        {
            "deals": groups.size().astype("int64"),
            AMOUNT: groups[AMOUNT].sum().astype("int64"),
            WEIGHTED: groups[WEIGHTED].sum(min_count=1).round().astype("Int64"),
            "without_probability": groups["without"].sum().astype("int64"),
        }
    ).reset_index()


def win_rate(
    opportunities: pd.DataFrame,
    *,
    by: Sequence[str] = (),
    as_of: dt.date,
    first_day: dt.date | None = None,
) -> pd.DataFrame:
    """Tell which share of closed deals was won, by count and by amount.

    Parameters
    ----------
    opportunities
        The table of that name; each deal counts once, as the last snapshot by `as_of` that has it
        saw it.
    by
        Columns to report by, such as node; none for one row.
    first_day
        First closing day that counts; None for all.

    Returns
    -------
    pd.DataFrame
        The columns of `by`, won, lost (counts), by_count = won / (won + lost), by_amount (the same
        in money). Open deals are not counted; null where none has closed. The two rates differ
        where large deals are lost more often: use the one that fits the pipeline's unit.
    """
    by = list(by)
    need(opportunities, ["opportunity", AS_OF, "status", AMOUNT, "close_date", *by], "opportunities")
    known = opportunities[opportunities[AS_OF] < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    last = known.sort_values([AS_OF, "opportunity"], kind="stable").drop_duplicates(
        "opportunity", keep="last"
    )
    closed = last[last["status"].isin(["won", "lost"]) & (last["close_date"] <= pd.Timestamp(as_of))]
    if first_day is not None:
        closed = closed[closed["close_date"] >= pd.Timestamp(first_day)]
    won = (closed["status"] == "won").to_numpy()
    amount = cents(closed[AMOUNT], "opportunities")
    counted = closed[by].assign(won=won.astype("int64"), lost=(~won).astype("int64"), amount=amount)
    counted["won_amount"] = amount.where(won, 0)
    sums = ["won", "lost", "amount", "won_amount"]
    totals = (
        counted.groupby(by, sort=True)[sums].sum().reset_index() if by else counted[sums].sum().to_frame().T
    )
    return pd.DataFrame(
        {
            **{name: totals[name] for name in by},
            "won": totals["won"].astype("int64"),
            "lost": totals["lost"].astype("int64"),
            "by_count": ratio(totals["won"], totals["won"] + totals["lost"]),
            "by_amount": ratio(totals["won_amount"], totals["amount"]),
        }
    )


def coverage(
    pipeline: pd.DataFrame,
    remaining: pd.DataFrame,
    win_rates: float | pd.DataFrame | None,
    *,
    slippage_ratio: float = 0.0,
) -> pd.DataFrame:
    """Tell whether open deals are enough for what is still to be sold, at the usual win rate.

    Parameters
    ----------
    pipeline
        node, amount, weighted (minor units), as `open_pipeline` gives them. A node without a row
        has no open deal, so an amount of 0.
    remaining
        node, remaining (quota - actual to date, minor units; null where there is no quota), and
        where it shall be shown quota (the full one).
    win_rates
        One win rate for all, or node, win_rate; None where unknown. By amount fits best, as
        coverage is in money; of rates that differ by deal the mix, expected / amount.
    slippage_ratio
        Extra pipeline for deals that slip out of the period; 0.2 is 20 %.

    Returns
    -------
    pd.DataFrame
        One row per row of `remaining`: node, remaining, amount, weighted, win_rate, coverage_ratio
        (amount / remaining), full_quota_ratio (amount / full quota; null where none was given),
        weighted_ratio (weighted / remaining), required_ratio, expected (amount
        x win rate, an estimate), expected_ratio (expected / remaining), state ("quota met", where
        nothing remains; "covered"; "short"; "no data"), denominator (always "remaining quota").

    References
    ----------
    required coverage = 1 / win rate: 33 % needs 3x, 25 % needs 4x.
    """
    need(pipeline, [NODE, AMOUNT, WEIGHTED], "pipeline")
    need(remaining, [NODE, REMAINING], "remaining")
    for table, where in ((pipeline, "pipeline"), (remaining, "remaining")):
        need_unique(table, [NODE], where)
    frame = remaining[[NODE]].assign(**{REMAINING: cents(remaining[REMAINING], "remaining")})
    frame = frame.merge(pipeline[[NODE, AMOUNT, WEIGHTED]], on=NODE, how="left")
    none = ~frame[NODE].isin(pipeline[NODE])
    for name in (AMOUNT, WEIGHTED):
        frame[name] = frame[name].astype("Int64").mask(none, 0)
    frame[WIN_RATE] = _win_rates(win_rates, frame[NODE])
    open_quota = frame[REMAINING].mask((frame[REMAINING] <= 0).fillna(value=False))
    frame[COVERAGE_RATIO] = ratio(frame[AMOUNT], open_quota)
    full = (
        cents(remaining["quota"], "remaining")
        if "quota" in remaining
        else frame[REMAINING].mask(frame[NODE].notna())
    )
    frame[FULL_QUOTA_RATIO] = ratio(
        frame[AMOUNT], full.mask((full <= 0).fillna(value=False)).set_axis(frame.index)
    )
    frame["weighted_ratio"] = ratio(frame[WEIGHTED], open_quota)
    frame[REQUIRED_RATIO] = (1 + slippage_ratio) / frame[WIN_RATE].where(frame[WIN_RATE] > 0)
    frame["expected"] = (frame[AMOUNT].astype("Float64") * frame[WIN_RATE].astype("Float64")).round()
    frame["expected"] = frame["expected"].astype("Int64")
    frame["expected_ratio"] = ratio(frame["expected"], open_quota)
    enough = frame[COVERAGE_RATIO] >= frame[REQUIRED_RATIO]
    state = pd.Series(np.where(enough, COVERED, SHORT), index=frame.index, dtype="str")
    nothing_won = (frame[WIN_RATE] == 0) & frame[COVERAGE_RATIO].notna()
    unknown = frame[COVERAGE_RATIO].isna() | frame[REQUIRED_RATIO].isna()
    state = state.mask(unknown & ~nothing_won, NO_DATA)
    frame[STATE] = state.mask((frame[REMAINING] <= 0).fillna(value=False), QUOTA_MET)
    return frame.assign(denominator="remaining quota")


def _win_rates(win_rates: float | pd.DataFrame | None, nodes: pd.Series) -> pd.Series:
    if win_rates is None:
        rates = pd.Series(np.nan, index=nodes.index)
    elif isinstance(win_rates, pd.DataFrame):
        need(win_rates, [NODE, WIN_RATE], "win rates")
        need_unique(win_rates, [NODE], "win rates")
        rates = nodes.map(win_rates.set_index(NODE)[WIN_RATE])
    else:
        rates = pd.Series(float(win_rates), index=nodes.index)
    rates = rates.astype("float64")
    if ((rates < 0) | (rates > 1)).any():
        raise ParamsError("A win rate is not between 0 and 1.", remedy="Give a share of one; 0.22 is 22 %.")
    return rates
