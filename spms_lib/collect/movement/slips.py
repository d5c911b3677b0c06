"""Slips and late deals: how much of a period's pipeline moves out of it, and how much appears at its end.

Conventions: slip rate = amount in the period in the first snapshot whose closing day has moved past its
end / amount in the period in the first snapshot. Share of late new deals = won amount of deals that
nobody knew of before the last weeks of the period / all that was won in it. Counts are small, so every
rate by count has a 90 % interval (Wilson), as if deals were independent of each other.
"""

import datetime as dt
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.movement.bridge import AMOUNT, PART, WON, Movement, whole
from spms_lib.collect.movement.deals import DEAL, LOST, PUSHED_OUT, VANISHED, deals_known
from spms_lib.deals import snapshot
from spms_lib.errors import ParamsError
from spms_lib.tables import AS_OF, NODE, PERIOD, need

COVER: Final = 0.9
DECIDED: Final = (WON, LOST, VANISHED)


def slip_counts(movement: Movement) -> pd.DataFrame:
    """Count by node what was open in the period in the first snapshot, what of it slipped, and what was decided.

    Parameters
    ----------
    movement
        Of deals, without those already won.

    Returns
    -------
    pd.DataFrame
        Indexed by node, whole numbers that add up over nodes: deals, amount, slipped, slipped_amount,
        decided, decided_amount (won, lost or vanished in the period), all at amounts of the first snapshot.
    """
    first = movement.opening[[DEAL, NODE, AMOUNT]]
    fate = movement.parts[movement.parts[PART].isin([PUSHED_OUT, *DECIDED])].set_index(DEAL)[PART]
    reason = first[DEAL].map(fate)
    return _counted(first, slipped=reason == PUSHED_OUT, decided=reason.isin(DECIDED)).rename(
        columns={"all": "deals", "all_amount": AMOUNT}
    )


def slip_rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Tell which share of the pipeline slipped out of the period.

    Parameters
    ----------
    counts
        From `slip_counts`, for leaves or rolled up to any node.

    Returns
    -------
    pd.DataFrame
        `counts` and by_amount = slipped_amount / amount, by_count = slipped / deals, low and high (of
        by_count), of_undecided = slipped_amount / (amount - decided_amount). A rate is missing
        where nothing was in the period.

    Examples
    --------
    >>> row = {"deals": 4, "amount": 100, "slipped": 1, "slipped_amount": 40, "decided": 2, "decided_amount": 20}
    >>> slip_rates(pd.DataFrame([row]))[["by_amount", "by_count", "low", "high", "of_undecided"]].round(2).values.tolist()
    [[0.4, 0.25, 0.06, 0.64, 0.5]]
    """
    undecided = counts[AMOUNT] - counts["decided_amount"]
    return counts.assign(
        by_amount=_share(counts["slipped_amount"], counts[AMOUNT]),
        **_by_count(counts["slipped"], counts["deals"]),
        of_undecided=_share(counts["slipped_amount"], undecided),
    )


def known_since(opportunities: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """Say since when the company has known of each deal, indexed by opportunity.

    The day on which it was created; but the first snapshot that has it, where an earlier one taken on or after that
    day does not have it (so it was entered later), or where nobody has stated the day. Missing where the
    very first snapshot of all has it and no day of creation is stated.
    """
    need(opportunities, [DEAL, AS_OF], "opportunities")
    first = opportunities.groupby(DEAL)[AS_OF].min()
    days = np.sort(opportunities[AS_OF].unique())
    place = np.searchsorted(days, first.to_numpy())
    before = pd.Series(days[np.maximum(place - 1, 0)], index=first.index).where(place > 0)
    if "created" not in opportunities:
        return first.where(before.notna())
    created = opportunities.groupby(DEAL)["created"].min()
    shown = first.where(created.isna() | (created <= before).fillna(value=False), created)
    return shown.where(created.notna() | before.notna())


def late_from(first_day: dt.date, last_day: dt.date, *, weeks: float | None = None) -> dt.date:
    """Name the first of a period's last days, before which no deal can be late; see `late_new`.

    Examples
    --------
    >>> late_from(dt.date(2026, 7, 1), dt.date(2026, 9, 30)), late_from(dt.date(2026, 7, 1), dt.date(2026, 9, 30), weeks=2)
    (datetime.date(2026, 8, 31), datetime.date(2026, 9, 17))
    """
    days = (last_day - first_day).days + 1
    late_days = round(days / 3 if weeks is None else weeks * 7)
    if not 0 < late_days <= days:
        raise ParamsError(
            f"{weeks} weeks are not the last weeks of {days} days.",
            where="weeks",
            remedy="Use fewer weeks than the period has, and more than none.",
        )
    return last_day - dt.timedelta(days=late_days - 1)


def late_new(
    opportunities: pd.DataFrame,
    *,
    as_of: dt.date,
    first_day: dt.date,
    last_day: dt.date,
    weeks: float | None = None,
) -> pd.DataFrame:
    """List the deals won in a period and whether they were first known of in its last weeks.

    Many of them may mean a short sales cycle, or deals that were kept out of the forecast: compare nodes of
    one kind, and earlier periods.

    Parameters
    ----------
    opportunities
        The table of that name; nothing after `as_of` is looked at.
    first_day, last_day
        The period, both days included.
    weeks
        How many weeks before the end count as late; a third of the period if None.

    Returns
    -------
    pd.DataFrame
        opportunity, node, amount (int64), known_since, late (boolean, missing where nobody knows since when).
    """
    start = pd.Timestamp(late_from(first_day, last_day, weeks=weeks))
    need(opportunities, [DEAL, NODE, "status", AMOUNT, "close_date", AS_OF], "opportunities")
    past = opportunities[opportunities[AS_OF] < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    known = deals_known(past, as_of=as_of)
    end = pd.Timestamp(last_day) + pd.Timedelta(days=1)
    inside = (known["close_date"] >= pd.Timestamp(first_day)) & (known["close_date"] < end)
    won = known[(known["status"] == "won") & inside].sort_values(DEAL, kind="stable")
    since = won[DEAL].map(known_since(past)) if len(won) else won[AS_OF]
    late = (since >= start).astype("boolean").mask(since.isna())
    frame = {
        DEAL: won[DEAL],
        NODE: won[NODE],
        AMOUNT: whole(won[AMOUNT], "opportunities"),
        "known_since": since,
    }
    return pd.DataFrame(frame).assign(late=late).reset_index(drop=True)


def late_counts(won: pd.DataFrame) -> pd.DataFrame:
    """Count by node the deals of `late_new`: won, late and unknown, each with its amount; whole numbers that add up."""
    counts = _counted(
        won[[DEAL, NODE, AMOUNT]], late=won["late"].fillna(value=False).astype(bool), unknown=won["late"].isna()
    )  # fmt: skip
    return counts.rename(columns={"all": "won", "all_amount": "won_amount"})


def late_shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Tell which share of what was won nobody knew of before the last weeks.

    Parameters
    ----------
    counts
        From `late_counts`, for leaves or rolled up.

    Returns
    -------
    pd.DataFrame
        `counts` and by_amount, by_count, low and high (of by_count): of the deals known since a day, so
        without the unknown ones. Missing where nothing was won.
    """
    return counts.assign(
        by_amount=_share(counts["late_amount"], counts["won_amount"] - counts["unknown_amount"]),
        **_by_count(counts["late"], counts["won"] - counts["unknown"]),
    )


def repeat_slips(
    opportunities: pd.DataFrame, calendar: FiscalCalendar, *, as_of: dt.date, least: int = 2
) -> pd.DataFrame:
    """List open deals whose closing month has moved later again and again, the largest first.

    An early warning: one slip is common, and every further one says that the closing day is a guess.

    Returns
    -------
    pd.DataFrame
        opportunity, node, amount, slips (from one snapshot to the next that has the deal, to a later fiscal
        month; an overdue deal closes on the day of its snapshot at the earliest), first_close, close_date.
    """
    now = snapshot(opportunities, as_of=as_of)
    live = now[now["status"] == "open"]
    past = opportunities[opportunities[DEAL].isin(live[DEAL]) & (opportunities["status"] == "open")]
    past = past[past[AS_OF] < pd.Timestamp(as_of) + pd.Timedelta(days=1)].sort_values([DEAL, AS_OF])
    closes = past["close_date"].mask(past["close_date"] < past[AS_OF], past[AS_OF])
    rows = pd.DataFrame({DEAL: past[DEAL], PERIOD: calendar.months_of(closes), "day": past["close_date"]})
    later = (rows[PERIOD] > rows[PERIOD].shift()) & (rows[DEAL] == rows[DEAL].shift())
    moves = pd.DataFrame(
        {"slips": later.groupby(rows[DEAL]).sum(), "first_close": rows.groupby(DEAL)["day"].first()}
    )
    table = live[[DEAL, NODE, AMOUNT]].join(moves, on=DEAL).assign(close_date=live["close_date"])
    table["slips"] = table["slips"].astype("int64")
    return table[table["slips"] >= least].sort_values(
        [AMOUNT, DEAL], ascending=[False, True], ignore_index=True
    )


def _counted(deals: pd.DataFrame, **flags: "pd.Series[bool]") -> pd.DataFrame:
    """Count deals and add up amounts by node: all of them, and those of each flag."""
    columns: dict[str, pd.Series] = {}
    everything = pd.Series(True, index=deals.index)
    for name, flag in {"all": everything, **flags}.items():
        columns[name] = flag.astype("int64")
        columns[f"{name}_amount"] = deals[AMOUNT].where(flag, 0)
    return pd.DataFrame(columns).groupby(deals[NODE]).sum().astype("int64")


def _share(part: pd.Series, of: pd.Series) -> "pd.Series[float]":
    return part.astype("float64") / of.astype("float64").where(of != 0)


@cache
def _interval(some: int, n: int) -> tuple[float, float]:
    """Give the interval of a share; cached, as thousands of owners share a few small counts."""
    if n == 0:
        return np.nan, np.nan
    found = stats.binomtest(some, n).proportion_ci(COVER, "wilson")
    return float(found.low), float(found.high)


def _by_count(part: pd.Series, of: pd.Series) -> dict[str, "pd.Series[float]"]:
    ends = [_interval(int(some), int(n)) for some, n in zip(part, of, strict=True)]
    low, high = zip(*ends, strict=True) if ends else ((), ())
    return {
        "by_count": _share(part, of),
        "low": pd.Series(low, index=part.index, dtype="float64"),
        "high": pd.Series(high, index=part.index, dtype="float64"),
    }
