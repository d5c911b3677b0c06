"""Capacity: what the posts at hand can sell month by month, and how many heads a target is short of.

Three terms that are never mixed: *productivity* is what a full post sells in an average month; *capacity* is
productivity x posts x season, what those who sit there can sell; a *quota* is what they are asked to sell.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import ParamsError
from spms_lib.tables import NODE, need

Floats = NDArray[np.float64]

DAYS_IN_MONTH: Final = 365.25 / 12
RAMPED: Final = 0.999  # posts per head from which a seat counts as fully productive
PRIOR_SEATS: Final = 4.0
PRIOR_MONTHS: Final = 3.0
YEAR: Final = 12
NEVER: Final = pd.Timestamp(2200, 1, 1)


def heads_and_posts(
    roster: pd.DataFrame, months: list[str], calendar: FiscalCalendar, *, first_ratio: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count who sits where: heads (full-time posts that are filled) and posts (heads x ramp), by month.

    A person counts for the part of the month's days in the seat. Ramp rises in a line from `first_ratio` on the first
    day to 1 after `ramp_months`, and is taken at the middle of the person's days in the month.

    Parameters
    ----------
    roster
        Columns node, start, end (missing: still there), fte (1 where missing), ramp_months (0 where missing).

    Returns
    -------
    pd.DataFrame, pd.DataFrame
        Seats x months; 0 where a seat of the roster is empty.
    """
    need(roster, [NODE, "start", "end", "fte", "ramp_months"], "roster")
    first, last = (
        _days(pd.Series(edge(month) for month in months)) for edge in (calendar.start, calendar.end)
    )
    start = _days(roster["start"])[:, None]
    came, left = np.maximum(start, first), np.minimum(_days(roster["end"].fillna(NEVER))[:, None], last)
    there = np.maximum(left - came + 1, 0) / (last - first + 1)
    tenure = np.floor((came + left) / 2.0 - start) / DAYS_IN_MONTH
    ramp = ramp_ratio(tenure, roster["ramp_months"].fillna(0.0).to_numpy(dtype=float)[:, None], first_ratio)
    heads = pd.DataFrame(there * roster["fte"].fillna(1.0).to_numpy(dtype=float)[:, None], columns=months)
    seats = roster[NODE].to_numpy()
    return (
        heads.groupby(seats).sum().rename_axis(None),
        (heads * ramp).groupby(seats).sum().rename_axis(None),
    )


def _days(moments: pd.Series) -> NDArray[np.int64]:
    return pd.to_datetime(moments).to_numpy().astype("datetime64[D]").astype(np.int64)


def ramp_ratio(tenure: Floats, ramp_months: Floats, first_ratio: float = 0.0) -> Floats:
    """Say how productive somebody is after so many months: `first_ratio` at first, 1 after the ramp.

    Examples
    --------
    >>> ramp_ratio(np.array([0.0, 3.0, 9.0]), np.array([6.0, 6.0, 6.0]), 0.5).tolist()
    [0.5, 0.75, 1.0]
    """
    if not 0 <= first_ratio <= 1:
        raise ParamsError(
            f"A ramp cannot start at {first_ratio:g}.", where="first_ratio", remedy="Use 0 to 1."
        )
    safe = np.where(ramp_months > 0, ramp_months, 1.0)
    way = np.where(ramp_months > 0, np.clip(tenure / safe, 0.0, 1.0), 1.0)
    ramp: Floats = first_ratio + (1.0 - first_ratio) * way
    return ramp


def month_factors(total: pd.Series, months: list[str]) -> pd.Series:
    """Compare each month with the average month of a year, from whole years of the company's sales.

    Parameters
    ----------
    total
        Indexed by month in order of time; the latest whole years are used, at most two.

    Returns
    -------
    pd.Series
        Indexed by `months`; all 1 where less than a year is known.
    """
    known = total.dropna()
    years = min(len(known) // YEAR, 2)
    recent = known.iloc[len(known) - years * YEAR :]
    if not years or recent.sum() <= 0:
        return pd.Series(1.0, index=months)
    by_month = recent.groupby(recent.index.str[-2:]).mean() / recent.mean()
    return pd.Series([float(by_month.get(month[-2:], 1.0)) for month in months], index=months)


def seat_productivity(
    sold: pd.DataFrame,
    posts: pd.DataFrame,
    season: pd.Series,
    groups: pd.Series,
    *,
    prior: float = PRIOR_MONTHS,
) -> pd.Series:
    """Estimate what a full post in each seat sells in an average month, shrunk towards its group.

        productivity = (sold + prior x productivity of the group) / (posts x season + prior),  sums over the months

    Parameters
    ----------
    sold
        Seats x months, minor units; missing before a seat existed.
    posts
        Seats x the same months, from `heads_and_posts`.
    season
        Indexed by month, from `month_factors`.
    groups
        Indexed by seat: its region or segment.

    Returns
    -------
    pd.Series
        Indexed by seat, minor units per post and average month.
    """
    there = sold.notna().to_numpy()
    worth = pd.Series((posts.to_numpy() * season[sold.columns].to_numpy() * there).sum(axis=1), sold.index)
    came = sold.sum(axis=1)
    own_group = groups.reindex(sold.index)
    company = came.sum() / worth.sum() if worth.sum() > 0 else np.nan
    together = came.groupby(own_group).sum() / worth.groupby(own_group).sum().replace(0.0, np.nan)
    group = own_group.map(together).astype("float64").fillna(company)
    return ((came + prior * group) / (worth + prior)).clip(lower=0.0).rename("productivity")


def full_post_productivity(
    sold: pd.DataFrame, posts: pd.DataFrame, heads: pd.DataFrame, season: pd.Series, groups: pd.Series
) -> pd.DataFrame:
    """Say what a full, ramped post sells in an average month in each group: the median, not the best.

    Only months count in which a seat was filled for the whole month by people past their ramp. A group with few such
    seats is drawn towards the company, which counts as `PRIOR_SEATS` seats.

    Returns
    -------
    pd.DataFrame
        Columns group, seats (with ramped months), median (of the seats' own averages), productivity (drawn towards the
        company; minor units per post and month); the last row, `all`, is the company.
    """
    whole = (posts.to_numpy() > 0) & (posts.to_numpy() >= RAMPED * heads.to_numpy()) & sold.notna().to_numpy()
    steady = whole & (heads.to_numpy() >= RAMPED * heads.max(axis=1).to_numpy()[:, None])
    worth = (posts.to_numpy() * season[sold.columns].to_numpy() * steady).sum(axis=1)
    came = np.where(steady, sold.fillna(0.0).to_numpy(), 0.0).sum(axis=1)
    rate = pd.Series(np.divide(came, worth, out=np.full(len(worth), np.nan), where=worth > 0), sold.index)
    own_group = groups.reindex(sold.index)
    company = rate.median()
    by_group = rate.groupby(own_group, sort=False).agg(["count", "median"])
    drawn = (by_group["count"] * by_group["median"].fillna(0.0) + PRIOR_SEATS * company) / (
        by_group["count"] + PRIOR_SEATS
    )
    table = pd.DataFrame(
        {
            "group": by_group.index,
            "seats": by_group["count"].to_numpy(),
            "median": by_group["median"].to_numpy(),
            "productivity": drawn.to_numpy(),
        }
    )
    last = pd.DataFrame([("all", int(rate.count()), company, company)], columns=table.columns)
    return pd.concat([table, last], ignore_index=True)


def staying_ratios(count: int, *, leave_ratio: float, backfill_months: int, ramp: Floats) -> Floats:
    """Expect what remains of today's posts in each coming month when people leave and are replaced.

    In every month the ratio `leave_ratio` of those present leaves, half a month counting for the month itself; a seat
    is empty for `backfill_months`, then a newcomer starts the ramp.

    Parameters
    ----------
    count
        Months looked ahead.
    ramp
        Productivity of a newcomer in the first, second ... month; 1 after its end.

    Returns
    -------
    np.ndarray
        Shape (count,): ratios of today's posts.

    Examples
    --------
    >>> staying_ratios(3, leave_ratio=0.02, backfill_months=1, ramp=np.array([0.5])).round(4).tolist()
    [0.99, 0.9702, 0.9608]
    """
    if not 0 <= leave_ratio < 1 or backfill_months < 0:
        raise ParamsError(
            f"People cannot leave at {leave_ratio:g} a month and be replaced after {backfill_months} months.",
            where="capacity",
            remedy="Give a ratio from 0 to below 1 and zero or more months.",
        )
    kept = np.zeros(count)
    leavers = leave_ratio * (1.0 - leave_ratio) ** np.arange(count)
    for month in range(count):
        kept[month] = (1.0 - leave_ratio) ** month * (1.0 - leave_ratio / 2.0)
        for left in range(month - backfill_months):
            served = month - backfill_months - left - 1
            kept[month] += leavers[left] * (ramp[served] if served < len(ramp) else 1.0)
    return kept


def leave_record(roster: pd.DataFrame, *, until: pd.Timestamp, years: int = 2) -> pd.Series:
    """Learn from the roster how often people leave and how long a seat then stays empty.

    Only the last years count: those who left long ago are often missing from a roster, and time served before
    would make leaving look rarer than it is.

    Returns
    -------
    pd.Series
        head_months (in the last years up to `until`), leavers, leave_ratio (leavers per head and month),
        backfill_months (median of the gaps that were filled; missing where none was).
    """
    first = until - pd.DateOffset(years=years)
    known = roster[roster["start"] <= until].sort_values([NODE, "start"], kind="stable")
    end = known["end"].where(known["end"] <= until)
    served = (end.fillna(until) - known["start"].where(known["start"] >= first, first)).dt.days + 1
    months = float(served.clip(lower=0).sum()) / DAYS_IN_MONTH
    left = float((end >= first).sum())
    gaps = (known.groupby(NODE)["start"].shift(-1) - end).dt.days - 1
    filled = gaps[gaps.notna() & (gaps >= 0)]
    return pd.Series(
        {
            "head_months": months,
            "leavers": left,
            "leave_ratio": left / months if months else 0.0,
            "backfill_months": float(filled.median()) / DAYS_IN_MONTH if len(filled) else np.nan,
        }
    )


def capacity(
    posts: pd.DataFrame, productivity: pd.Series, season: pd.Series, *, staying: Floats | None = None
) -> pd.DataFrame:
    """Compute what each seat can sell in each month: posts x productivity x season x what stays of them.

    Parameters
    ----------
    posts
        Seats x months: full posts after ramp (and after attainment, where productivity is a quota).
    productivity
        Indexed by seat: minor units per full post and average month.
    season
        Indexed by month.
    staying
        Shape (n_months,), from `staying_ratios`.

    Returns
    -------
    pd.DataFrame
        Seats x months, float minor units; missing where posts or productivity are.

    Examples
    --------
    >>> posts = pd.DataFrame({"2026-05": [7 * 0.85, 3 * 0.40]}, index=["ramped", "new"])
    >>> float(capacity(posts, pd.Series(150_000.0, posts.index), pd.Series({"2026-05": 1.0})).sum().iloc[0])
    1072500.0
    """
    kept = np.ones(posts.shape[1]) if staying is None else staying
    by_seat = posts.mul(productivity.reindex(posts.index), axis=0)
    return by_seat.mul(season[posts.columns].to_numpy() * kept, axis=1)
