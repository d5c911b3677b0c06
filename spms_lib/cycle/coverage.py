"""Coverage of a cycle: open deals against what is still to be sold, by the company's own win rates."""

import datetime as dt
from typing import Any, Final

import pandas as pd

from spms_lib.collect.outcomes import as_known, fresh_snapshot, standing
from spms_lib.collect.win_rate_trials import past_outcomes, summed_up, try_win_rates
from spms_lib.collect.win_rates import WinRates, expected_wins, learn_win_rates, rate_deals
from spms_lib.cycle.desk import Desk
from spms_lib.hierarchy import Hierarchy
from spms_lib.review.pipeline import coverage, open_pipeline, win_rate
from spms_lib.tables import NODE

WIN_RATE_DAYS: Final = 365
QUARTERS: Final = 8
FEWEST_DEALS: Final = 30  # past deals below which the company's one win rate is used
LAST_YEAR: Final = "win rate of the last year, by amount"
DUE: Final = "open deals that are expected to close in the quarter"
ALL_OPEN: Final = "all open deals"
_UNKNOWN: Final = [
    *("amount", "weighted", "coverage_ratio", "full_quota_ratio", "weighted_ratio"),
    *("expected", "expected_ratio"),
]


def company_win_rate(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Return won and lost deals of the last year by the snapshots known: won, lost, by_count, by_amount."""
    return win_rate(
        desk.table("opportunities"), as_of=as_of, first_day=as_of - dt.timedelta(days=WIN_RATE_DAYS)
    )


def own_win_rates(desk: Desk, *, as_of: dt.date, quarters: int = QUARTERS) -> WinRates | None:
    """Learn win rates by stage, age and segment from past quarters, each seen with as many days left as now.

    None where they cannot be learnt or used: no fresh snapshot, a quarter that is over, or fewer than
    30 past deals.
    """
    left = (desk.calendar.end(desk.cycle) - as_of).days
    if (
        left <= 0
        or not desk.has("opportunities")
        or fresh_snapshot(desk.table("opportunities"), day=as_of).empty
    ):
        return None
    past = past_outcomes(
        desk.table("opportunities"), _past_quarters(desk, quarters), days_left=left, known_by=as_of
    )
    if past.empty:
        return None
    counted = past[past["due"].fillna(value=False).astype(bool)] if past["due"].notna().any() else past
    return learn_win_rates(past) if len(counted) >= FEWEST_DEALS else None


def win_rate_bins(rates: WinRates) -> pd.DataFrame:
    """Show the finest bins: stage, age and segment where known, deals, won, rate, low, high, by_amount, thin."""
    shown = [*rates.keys, "deals", "won", "rate", "low", "high", "by_amount", "thin"]
    return rates.levels[-1][shown]


def win_rates_tried(desk: Desk, *, as_of: dt.date, quarters: int = QUARTERS) -> pd.DataFrame:
    """Compare own rates, one rate and the CRM's probabilities on past quarters: see `summed_up`."""
    table = desk.table("opportunities")

    def one_rate(day: dt.date) -> tuple[float, float]:
        known = as_known(table, by=day)
        row = win_rate(known, as_of=day, first_day=day - dt.timedelta(days=WIN_RATE_DAYS)).iloc[0]
        return tuple(
            float(row[name]) if pd.notna(row[name]) else float("nan") for name in ("by_count", "by_amount")
        )  # type: ignore[return-value]

    left = max((desk.calendar.end(desk.cycle) - as_of).days, 1)
    periods = _past_quarters(desk, quarters)
    return summed_up(try_win_rates(table, periods, days_left=left, known_by=as_of, one_rate=one_rate))


def _past_quarters(desk: Desk, count: int) -> dict[str, tuple[dt.date, dt.date]]:
    names = [desk.calendar.shift(desk.cycle, -step) for step in range(count, 0, -1)]
    return {name: (desk.calendar.start(name), desk.calendar.end(name)) for name in names}


def covered(desk: Desk, rows: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Tell whether open deals are enough for the rest of the quarter, by node of the scope.

    Parameters
    ----------
    rows
        From `paced`: node, plan, actual_to_date.

    Returns
    -------
    pd.DataFrame
        See `coverage`; all "no data" for a company without opportunities. The win rate of a node
        is the mix of its open deals' own rates, the company's mix where it has none open. Also
        expected_low and expected_high (90 %; missing without own rates), one_rate_required (what
        the company's one win rate would ask for), rule (which rate it is) and counted (which deals:
        where past expectations are not known, rates hold for all open deals, so all count).
    """
    remaining = pd.DataFrame(
        {NODE: rows[NODE], "remaining": rows["plan"] - rows["actual_to_date"], "quota": rows["plan"]}
    )
    if not desk.has("opportunities"):
        none = pd.DataFrame({NODE: pd.Series(dtype="str"), "amount": pd.Series(dtype="Int64")})
        nobody = coverage(none.assign(weighted=none["amount"]), remaining, None)
        nobody[_UNKNOWN] = nobody[_UNKNOWN].astype("Float64").mask(nobody["remaining"].notna())
        return nobody.assign(state="no data", **_labels(None, None))
    rates = own_win_rates(desk, as_of=as_of)
    rate = company_win_rate(desk, as_of=as_of)["by_amount"].iloc[0]
    one = None if pd.isna(rate) else float(rate)
    pipeline = _pipeline(desk, as_of=as_of, all_open=rates is not None and not rates.due_only)
    if rates is None:
        return coverage(pipeline, remaining, one).assign(**_labels(None, one))
    wins = _expected(desk, rates, as_of=as_of)
    mix = (wins["expected"] / wins["amount"].where(wins["amount"] > 0)).clip(upper=1.0)
    whole = mix.get(desk.scope.root, float("nan"))
    rate_of = pd.DataFrame(
        {NODE: desk.scope.nodes, "win_rate": mix.reindex(desk.scope.nodes).fillna(whole).to_numpy()}
    )
    table = coverage(pipeline, remaining, rate_of).assign(**_labels(rates, one))
    near = wins.reindex(table[NODE])
    low, high = (near[name].round().astype("Int64").to_numpy() for name in ("low", "high"))
    return table.assign(expected_low=low, expected_high=high)


def _labels(rates: WinRates | None, one: float | None) -> dict[str, Any]:
    return {
        "expected_low": pd.NA,
        "expected_high": pd.NA,
        "one_rate_required": 1 / one if one else float("nan"),
        "rule": LAST_YEAR if rates is None else "own win rates by " + ", ".join(rates.keys),
        "counted": DUE if rates is None or rates.due_only else ALL_OPEN,
    }


def _pipeline(desk: Desk, *, as_of: dt.date, all_open: bool) -> pd.DataFrame:
    """Add up open deals by node of the scope: node, amount, weighted; deals that nobody has rated stay missing."""
    deals = open_pipeline(
        desk.table("opportunities"),
        as_of=as_of,
        first_day=dt.date.min if all_open else desk.calendar.start(desk.cycle),
        last_day=dt.date.max if all_open else desk.calendar.end(desk.cycle),
    )
    tree = desk.scope
    mine = deals[deals[NODE].isin(tree.leaves)].set_index(NODE)[["amount", "weighted"]].astype("float64")
    full = mine.reindex(tree.leaves)
    full.loc[~full.index.isin(mine.index)] = 0.0  # no open deal is 0
    return tree.roll_up(full).round().astype("Int64").reset_index(names=NODE)


def _expected(desk: Desk, rates: WinRates, *, as_of: dt.date) -> pd.DataFrame:
    """Add up expected wins with their interval for every node of the scope: see `expected_wins`."""
    tree = desk.scope
    span = {"first_day": desk.calendar.start(desk.cycle), "last_day": desk.calendar.end(desk.cycle)}
    now = standing(fresh_snapshot(desk.table("opportunities"), day=as_of), **span)
    rated = rate_deals(rates, now[now[NODE].isin(tree.leaves)])
    parts = [expected_wins(rated, _above(tree, level)) for level in tree.level_names]
    return pd.concat(parts).groupby(level=0).first()


def _above(tree: Hierarchy, level: str) -> pd.Series:
    above = tree.ancestor(level)
    return above[above.index.isin(tree.leaves)].dropna()
