"""From the company's number to quotas: drivers and gates, phasing, the cascade, edits, over-assignment, in one go."""

from typing import NamedTuple

import pandas as pd

from spms_lib.commitments import conservation_gaps
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.edits import make_edits
from spms_lib.cycle.split import Gated, apply_gates, leaf_drivers, month_totals, phasing
from spms_lib.cycle.targets import holds_in_force, holds_stand, lost_holds
from spms_lib.goals.cascade import cascade
from spms_lib.goals.drivers import blend_drivers
from spms_lib.goals.over_assignment import hedge_gaps, over_assign
from spms_lib.goals.waterfall import cascade_by_level


class Basis(NamedTuple):
    """What a split rests on, whatever the influences: gathered once for a notebook and its panel."""

    gated: Gated
    shares: pd.DataFrame
    holds: pd.DataFrame


def basis_of(desk: Desk) -> Basis:
    """Gather drivers with their gates, phasing and holds."""
    return Basis(apply_gates(desk, leaf_drivers(desk)), phasing(desk), holds_in_force(desk))


class Setting(NamedTuple):
    """The quarter's targets and what they came from.

    Attributes
    ----------
    base, quota
        Nodes x months, int64 minor units: the layer that adds up to the company's number, and field quotas above it.
    cascaded
        The base before edits.
    weights, influence
        Blended weight of each leaf, and how each driver counts.
    edits
        The edits that were made on the cascade.
    adjusted
        Where the cascade went level by level: what holds moved at each level.
    """

    base: pd.DataFrame
    quota: pd.DataFrame
    cascaded: pd.DataFrame
    weights: pd.Series
    influence: pd.DataFrame
    edits: pd.DataFrame
    adjusted: pd.DataFrame


def set_targets(
    desk: Desk,
    basis: Basis,
    target: int,
    *,
    wanted: dict[str, float],
    over_assignment: dict[str, float],
    by_level: bool = False,
) -> Setting:
    """Split the company's target over months and nodes; holds stand, and the edits of the ledger are made again.

    Parameters
    ----------
    basis
        From `basis_of`.
    target
        The company's target of the quarter, minor units.
    wanted
        Driver: influence, as `blend_drivers` takes them; drivers that the company does not have count 0 only.
    over_assignment
        Level: ratio. Managers' own ratios come from the params.
    by_level
        False splits in one step; True settles each level before the next, so a hold stays a matter of its own branch.
    """
    gated, shares, holds = basis
    weights, influence = blend_drivers(desk.tree, gated.drivers, wanted)
    totals = month_totals(target, weights * gated.gates.reindex(weights.index).fillna(1.0), shares)
    by_month = shares.mul(weights, axis=0)
    adjusted = pd.DataFrame(columns=["level", "node", "period", "before", "after", "held"])
    if by_level:
        cascaded, adjusted = cascade_by_level(desk.tree, totals, by_month, holds=holds, gates=gated.gates)
    else:
        cascaded = cascade(desk.tree, totals, by_month, holds=holds, gates=gated.gates)
    base, edits = make_edits(desk, cascaded, holds)
    own = dict(desk.params.over_assignment_by_node)
    quota = over_assign(desk.tree, base, over_assignment, by_node=own, holds=holds)
    return Setting(base, quota, cascaded, weights, influence, edits, adjusted)


def check_targets(
    desk: Desk, basis: Basis, setting: Setting, target: int, over_assignment: dict[str, float]
) -> None:
    """Record the checks that every set of targets must pass."""
    base, own = setting.base, dict(desk.params.over_assignment_by_node)
    desk.check(
        "every parent equals its children to the cent",
        bool((conservation_gaps(desk.tree, base.to_numpy()) == 0).all()),
        f"{len(desk.tree)} nodes x {len(desk.months)} months",
    )
    desk.check("the company's base equals its target", int(base.iloc[0].sum()) == target, desk.money(target))
    gaps = hedge_gaps(desk.tree, base, setting.quota, over_assignment, by_node=own, holds=basis.holds)
    unexplained = gaps[gaps["because"] == ""]
    told = "; ".join(f"{row.node} {row.period}: {row.because}" for row in gaps.head(3).itertuples())
    desk.check("children are their parent and the hedge, but for holds", unexplained.empty, told or "no gap")
    desk.check("every hold stands", holds_stand(base, basis.holds), f"{len(basis.holds)} holds")
    lost = lost_holds(desk)
    desk.check("every hold is on a node of the tree", not lost, ", ".join(lost) or "all are")
    failed = setting.edits[~setting.edits["proved"].astype(bool)]
    detail = "; ".join(f"{row.number}: {row.detail}" for row in failed.itertuples())
    desk.check(
        "every edit in force was made and proves itself",
        failed.empty,
        detail or f"{len(setting.edits)} edits",
    )
    desk.check(
        "rows in = used + rejected", bool(desk.sources["adds_up"].all()), f"{len(desk.sources)} tables"
    )
