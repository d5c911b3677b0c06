"""Where the plan may move sales instead of making them: the detectors on this company's past and present quarters."""

import datetime as dt

import numpy as np
import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_quarters, past_targets
from spms_lib.cycle.outcome import dated_results
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.incentives.gaming import around_ends, bunching, judge, late_spikes, shifts
from spms_lib.incentives.plan.edges import edges_of, judged_component
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.tables import DATE, NODE, VALUE, to_wide

LAST_DAYS = 0.1  # of a quarter
SAFE = 1e-9


def games(
    desk: Desk, plan: CompensationPlan, *, until: dt.date, quarters: int = 12, seed: int = 0
) -> pd.DataFrame:
    """Look for bunching, late spikes and shifted sales at the edges of the plan; see `judge`.

    The quarters before are judged by the same edges as this one: a plan that was different then
    makes findings weaker, not stronger.

    Returns
    -------
    pd.DataFrame
        One row per question: what was seen, what chance alone would give, whether it stands out,
        which feature of the plan invites it, and the convention; no rows for a plan without edges.
    """
    component = judged_component(plan)
    edges = edges_of(plan, component) if component is not None else pd.DataFrame()
    if edges.empty or component is None:
        return judge()
    stood, sales, intervals = _quarters(desk, until=until, quarters=quarters)
    at_end = stood.dropna(subset="attainment")
    around = around_ends(sales, intervals, _standings(stood, edges), part=LAST_DAYS)
    feature = f"tiers of {component.name}, clause {component.clause.number or plan.clause.number}"
    return judge(
        bunching(at_end, edges),
        late_spikes(around, feature=feature, seed=seed),
        shifts(around, feature=feature, seed=seed),
    )


def edge_labels(edges: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Write beside each edge how many were seen there and how many chance would put there: edge, label."""
    seen = found[found["detector"] == "bunching"].set_index("where")
    rows = [seen.loc[f"edge {edge:g}"] if f"edge {edge:g}" in seen.index else None for edge in edges["edge"]]
    labels = [
        "too few to tell"
        if row is None or np.isnan(row["observed"])
        else f"{row['observed']:.0f} seen, {row['expected_under_null']:.0f} expected"
        for row in rows
    ]
    return pd.DataFrame({"edge": edges["edge"], "label": labels})


def attained(desk: Desk, *, until: dt.date, quarters: int = 12) -> pd.DataFrame:
    """List the attainment of every seat in this and past quarters: payee (the seat), interval, attainment."""
    return _quarters(desk, until=until, quarters=quarters)[0][["payee", "interval", "attainment"]]


def _quarters(
    desk: Desk, *, until: dt.date, quarters: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return how seats stood at and before the end of each quarter, their sales, and the quarters."""
    ended = until >= desk.calendar.end(desk.cycle)
    names = [*past_quarters(desk, quarters), *([desk.cycle] if ended else [])]
    spans = pd.DataFrame(
        {
            "interval": names,
            "starts_on": [pd.Timestamp(desk.calendar.start(name)) for name in names],
            "ends_on": [pd.Timestamp(desk.calendar.end(name)) for name in names],
        }
    ).sort_values("starts_on", ignore_index=True)
    spans = spans.astype({"starts_on": "datetime64[us]", "ends_on": "datetime64[us]"})
    rows = dated_results(desk, until=until)
    rows = rows[rows[NODE].isin(desk.scope.leaves)]
    sales = rows.rename(columns={NODE: "payee", DATE: "date", VALUE: "amount"})[["payee", "date", "amount"]]
    sales = sales.astype({"date": "datetime64[us]"})
    quotas = _quotas(desk, list(spans["interval"]))
    held = pd.merge_asof(sales.sort_values("date"), spans, left_on="date", right_on="starts_on")
    held = held[held["date"] <= held["ends_on"]]
    length = (held["ends_on"] - held["starts_on"]).dt.days + 1
    late = held["date"] > held["ends_on"] - pd.to_timedelta(np.ceil(LAST_DAYS * length), unit="D")
    keys = ["payee", "interval"]
    sums = held.assign(early=held["amount"].where(~late, 0)).groupby(keys)[["amount", "early"]].sum()
    stood = quotas.join(sums, on=keys).fillna({"amount": 0, "early": 0})
    asked = stood["quota"].where(stood["quota"] > 0).astype("float64")
    stood = stood.assign(attainment=stood["amount"] / asked, before_end=stood["early"] / asked)
    return stood.reset_index(drop=True), sales, spans


def _quotas(desk: Desk, quarters: list[str]) -> pd.DataFrame:
    """List what each seat was asked for in each quarter: payee, interval, quota; only where every month is known."""
    wide = to_wide(past_targets(desk, [name for name in quarters if name != desk.cycle]))
    parts = []
    for name in quarters:
        table = read_targets(desk, layer=QUOTA) if name == desk.cycle else wide
        months = desk.calendar.months(name)
        asked = table.reindex(index=desk.scope.leaves, columns=months).sum(axis=1, min_count=len(months))
        parts.append(
            pd.DataFrame({"payee": asked.index, "interval": name, "quota": asked.to_numpy(dtype=float)})
        )
    return pd.concat(parts, ignore_index=True).dropna(subset="quota")


def _standings(stood: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Say how each seat stood before the last days: the next edge above it, and whether more pays nothing."""
    places = edges["edge"].to_numpy(dtype=float)
    at = stood["before_end"].to_numpy(dtype=float)
    number = np.searchsorted(places, at + SAFE, side="right")
    above = np.append(places, np.nan)[np.minimum(number, len(places))]
    slope = np.append(edges["slope_before"].iloc[0], edges["slope_after"])[number]
    top = (number == len(places)) & (slope == 0)
    known = ~np.isnan(at)
    return stood[["payee", "interval"]].assign(
        attainment=at, edge=np.where(known, above, np.nan), capped=top & known
    )
