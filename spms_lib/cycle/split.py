"""How a target is split at this company: its drivers, its gates, and the phasing of its months."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from spms_lib.collect.pipeline import pipeline_by_month
from spms_lib.cycle.desk import Desk
from spms_lib.deals import snapshot
from spms_lib.goals.baseline import growth_ratios
from spms_lib.goals.driver_values import account_roll_up, raise_to_floor, reachable_market, with_growth
from spms_lib.goals.gates import GateRule, gated_drivers, gates_by_rule, leaf_gates
from spms_lib.goals.seasonality import month_shares, pattern_shares
from spms_lib.money import apportion
from spms_lib.tables import AS_OF, NODE, to_wide

HISTORY = "history"
POTENTIAL, CAPTURE, GROWTH_RATE = "market_potential", "market_share", "growth_rate"


def vacant_leaves(desk: Desk) -> set[str]:
    """Name the leaves without a person on the first day of the quarter.

    By the roster, else by the hierarchy's owners; where it names none at all, no leaf is vacant.
    """
    if not desk.has("roster"):
        nobody = desk.tree.owner[desk.tree.leaves].isna()
        return set() if nobody.all() else set(desk.tree.leaves[nobody])
    return set(desk.tree.leaves) - set(_seated(desk)[NODE])


def _seated(desk: Desk) -> pd.DataFrame:
    day = pd.Timestamp(desk.calendar.start(desk.cycle))
    rows = desk.table("roster")
    return rows[(rows["start"] <= day) & (rows["end"].isna() | (rows["end"] >= day))]


def leaf_drivers(desk: Desk) -> pd.DataFrame:
    """Gather what a target can be split by: leaves x drivers, missing where not measured.

    Only what the company has:

    - history: last twelve months, a younger leaf's scaled up to a year; lifted where the params
      set a `driver_floor` (see `lifted_leaves`)
    - growth: history x the leaf's own yearly growth, shrunk towards the company's
    - capacity: posts x ramp, from the roster
    - pipeline: weighted open deals; 0 for a leaf that had deals and has none open
    - account_targets: sum of the targets of the leaf's accounts, from the table `accounts`
    - every driver of the table `drivers`; of them `market_share` and `growth_rate` are ratios
      and count as `reachable_market` (market_potential x market_share) and `stated_growth`
      (history x (1 + growth_rate))
    """
    full = desk.actuals(until=desk.params.plan_as_of).reindex(desk.tree.leaves)
    past, _ = _history(desk)
    found = {HISTORY: past, "growth": past * growth_ratios(full)}
    if desk.has("roster"):
        found["capacity"] = _capacity(desk)
    deals = (
        snapshot(desk.table("opportunities"), as_of=desk.params.plan_as_of)
        if desk.has("opportunities")
        else None
    )
    if deals is not None and len(deals):
        still = pipeline_by_month(deals, desk.calendar).groupby(NODE)["weighted"].sum()
        rows = desk.table("opportunities")
        known = rows.loc[rows[AS_OF] <= pd.Timestamp(desk.params.plan_as_of), NODE].unique()
        found["pipeline"] = still.reindex(known).fillna(0.0)
    if desk.has("accounts"):
        found["account_targets"] = account_roll_up(desk.table("accounts"))
    if desk.has("drivers"):
        table = to_wide(desk.table("drivers"), columns="driver")
        found |= _own_drivers({str(name): table[name] for name in table}, past)
    return pd.DataFrame({name: values.reindex(desk.tree.leaves) for name, values in found.items()})


def _own_drivers(given: dict[str, pd.Series], past: pd.Series) -> dict[str, pd.Series]:
    """Turn the ratios among a company's own drivers into amounts."""
    capture, growth = given.pop(CAPTURE, None), given.pop(GROWTH_RATE, None)
    if capture is not None and POTENTIAL in given:
        given["reachable_market"] = reachable_market(given[POTENTIAL], capture)
    if growth is not None:
        given["stated_growth"] = with_growth(past, growth)
    return given


def _history(desk: Desk) -> tuple[pd.Series, pd.DataFrame]:
    recent = desk.actuals(until=desk.params.plan_as_of).reindex(desk.tree.leaves).iloc[:, -12:]
    past = (recent.mean(axis=1) * 12).clip(lower=0.0)
    return raise_to_floor(desk.tree, past, desk.params.driver_floor)


def lifted_leaves(desk: Desk) -> pd.DataFrame:
    """List leaves whose history the floor of the params lifts: columns node, rule, before, value."""
    return _history(desk)[1]


class Gated(NamedTuple):
    """What the gates of the params leave of drivers and leaves.

    Attributes
    ----------
    drivers
        Leaves x drivers; a gate on one driver is in it already.
    gates
        Indexed by leaf, 0 to 1, for `cascade`.
    table
        Columns node, driver, gate, rule: who is touched, by which rule.
    """

    drivers: pd.DataFrame
    gates: pd.Series
    table: pd.DataFrame


def apply_gates(desk: Desk, drivers: pd.DataFrame) -> Gated:
    """Apply the gates of the params: conditions on drivers, on `seated` (1 or 0) and on `ramp` (0 to 1)."""
    rules = [GateRule(**gate.model_dump()) for gate in desk.params.gates]
    columns = drivers.assign(seated=(~drivers.index.isin(list(vacant_leaves(desk)))).astype(float))
    if desk.has("roster"):
        columns["ramp"] = _ramp(desk)
    table = gates_by_rule(columns, rules)
    return Gated(gated_drivers(desk.tree, drivers, table), leaf_gates(desk.tree, table), table)


def _posts(desk: Desk) -> pd.DataFrame:
    """List who sits in the middle of the quarter: columns node, fte, productive (fte x ramp)."""
    middle = pd.Timestamp(desk.calendar.start(desk.months[1]))
    rows = _seated(desk)
    months = (middle - rows["start"]).dt.days / 30.4375
    ramp = rows["ramp_months"].fillna(0.0)
    reached = (months / ramp.where(ramp > 0)).clip(0.0, 1.0).fillna(1.0)
    fte = rows["fte"].fillna(1.0)
    return pd.DataFrame({NODE: rows[NODE], "fte": fte, "productive": fte * reached})


def _capacity(desk: Desk) -> pd.Series:
    """Count posts at full productivity in the middle of the quarter: fte x ramp; 0 for a vacant seat."""
    posts: pd.Series = _posts(desk).groupby(NODE)["productive"].sum()
    return posts.reindex(desk.tree.leaves).fillna(0.0)


def _ramp(desk: Desk) -> pd.Series:
    """Share of full productivity in the middle of the quarter; missing for a vacant seat."""
    posts = _posts(desk).groupby(NODE)[["fte", "productive"]].sum()
    return (posts["productive"] / posts["fte"].where(posts["fte"] > 0)).reindex(desk.tree.leaves)


def phasing(desk: Desk) -> pd.DataFrame:
    """Share of each month in the quarter for every leaf.

    By the past of its node of the review level, or by the pattern that the params set for the
    whole company or for the nearest node above it (see `pattern_shares`).
    """
    shares = _past_phasing(desk)
    given = desk.params.phasing
    patterns = dict(given) if isinstance(given, dict) else {desk.tree.root: given}
    answer = shares.copy()
    for node in sorted(patterns, key=lambda name: desk.tree.depth[desk.tree.position(name)]):
        below, pattern = desk.tree.subtree(node).leaves, patterns[node]
        if pattern == HISTORY:
            answer.loc[below] = shares.loc[below]
        else:
            answer.loc[below] = np.tile(pattern_shares(pattern, len(desk.months)), (len(below), 1))
    return answer


def _past_phasing(desk: Desk) -> pd.DataFrame:
    history = desk.history()
    groups = desk.tree.at_level(desk.review_level)
    shares = month_shares(history.loc[groups], desk.cycle, desk.calendar)
    owner = desk.tree.ancestor(desk.review_level)[desk.tree.leaves]
    mean = pd.DataFrame([shares.mean()] * len(owner), index=owner.index)
    known = shares.reindex(owner).set_axis(owner.index)
    return known.fillna(mean)


def month_totals(target: int, weights: pd.Series, shares: pd.DataFrame) -> pd.Series:
    """Split the quarter's target over its months by the leaves' phasing, to the cent."""
    by_month = shares.mul(weights.reindex(shares.index), axis=0).sum()
    return apportion(target, by_month)
