"""What was sold, targeted and said in the past, laid over one tree, so that every approach can be tried on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.calendar import FiscalCalendar
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_quarters, past_submissions, past_targets
from spms_lib.errors import ParamsError
from spms_lib.hierarchy import Hierarchy
from spms_lib.hierarchy.check import rows_on
from spms_lib.tables import LEVEL, NODE, PARENT, PERIOD, VALUE, to_long, to_wide

DOUBTFUL_FACTOR: Final = 3.0
TARGET: Final = "target"
FIELD: Final = "field"


@dataclass(frozen=True, eq=False)
class Past:
    """The company's own past, ready to be walked through quarter by quarter.

    Attributes
    ----------
    tree
        The tree of the plan, and under it the seats that have closed since.
    nodes
        Nodes of the plan: closed seats are heard, but not reported.
    sold
        Leaves x months: what came, float minor units; missing before a leaf's first sale.
    targets
        Nodes x months: targets given then, made coherent; missing where nobody gave one.
    said
        Leaves x months: what the field had submitted by the lead of this cycle; missing where nobody spoke.
    quarters
        Quarters to walk through, oldest first; all had ended when the plan was made.
    review_level
        Level at which a middle-out forecast is made.
    """

    tree: Hierarchy
    nodes: pd.Index
    sold: pd.DataFrame
    targets: pd.DataFrame
    said: pd.DataFrame
    quarters: list[str]
    calendar: FiscalCalendar
    review_level: str

    @cached_property
    def came(self) -> pd.DataFrame:
        """What came at every node, closed seats included: columns node, period, value."""
        return to_long(self.tree.roll_up(self.sold))

    @cached_property
    def told(self) -> pd.DataFrame:
        """What leadership and field said, under the names that trust is learned by: node, period, value, source."""
        said = [to_long(self.targets).assign(source=TARGET), to_long(self.said).assign(source=FIELD)]
        return pd.concat([part for part in said if len(part)] or said[:1], ignore_index=True)

    @property
    def actuals(self) -> pd.DataFrame:
        """What came at every node of the plan: columns node, period, value."""
        return self.came[self.came[NODE].isin(self.nodes)].reset_index(drop=True)


def past_of(desk: Desk, *, quarters: int = 8, set_aside: Sequence[str] = ()) -> Past:
    """Gather what was sold, targeted and said in the quarters before the plan.

    Results, submissions and targets of a seat follow the seat to its present place. A target above
    the seats follows in proportion: it changes as the sum of its seats' targets does.

    Parameters
    ----------
    quarters
        How many quarters back.
    set_aside
        Months whose targets do not count, because they are slips: see `doubtful_targets`.

    Raises
    ------
    ParamsError
        If a month that is set aside is not one of these quarters.
    """
    when = past_quarters(desk, quarters)
    walked = [month for quarter in when for month in desk.calendar.months(quarter)]
    if unknown := [month for month in set_aside if month not in walked]:
        raise ParamsError(
            f"'{unknown[0]}' is not a month of the past quarters.",
            where="set_aside",
            remedy=f"Choose from {walked[0]} to {walked[-1]}." if walked else "Leave it empty.",
        )
    sold = desk.actuals(until=desk.params.plan_as_of)
    stated = to_wide(past_targets(desk, when)).astype(float).drop(columns=list(set_aside), errors="ignore")
    said = to_wide(past_submissions(desk, when)).astype(float)
    tree, place = _with_closed_seats(desk, sold.index)
    own = stated[stated.index.isin(place.index)]
    moved = tree.roll_up(_placed(own, place)) if len(own) else stated.head(0).reindex(tree.nodes)
    return Past(
        tree=tree,
        nodes=desk.tree.nodes,
        sold=_placed(sold, place).reindex(tree.leaves),
        targets=handed_down(tree, _restated(desk, stated, moved, tree, when)),
        said=_placed(said[said.index.isin(place.index)], place).reindex(tree.leaves),
        quarters=when,
        calendar=desk.calendar,
        review_level=desk.review_level,
    )


def doubtful_targets(desk: Desk, *, quarters: int = 8) -> pd.DataFrame:
    """List past targets that look like slips of the pen: far from what their node's children were given.

    The ratio of a node's target to the sum of its children's is compared with its own median over
    the months, so that a company that always assigns more, or less, is not reported.

    Returns
    -------
    pd.DataFrame
        Columns node, period, value, children (sum of their targets, minor units), ratio and
        usual_ratio; rows where they differ by more than a factor of `DOUBTFUL_FACTOR`.
    """
    rows = past_targets(desk, past_quarters(desk, quarters))
    above = rows.assign(**{NODE: rows[NODE].map(desk.tree.parents)}).dropna(subset=NODE)
    given = above.groupby([NODE, PERIOD])[VALUE].sum().rename("children").reset_index()
    both = rows.merge(given[given["children"] > 0], on=[NODE, PERIOD])
    both["ratio"] = both[VALUE] / both["children"]
    both["usual_ratio"] = both.groupby(NODE)["ratio"].transform("median")
    far = both["ratio"] / both["usual_ratio"].where(both["usual_ratio"] > 0)
    doubtful = both[(far > DOUBTFUL_FACTOR) | (far < 1 / DOUBTFUL_FACTOR)]
    return doubtful[[NODE, PERIOD, VALUE, "children", "ratio", "usual_ratio"]].reset_index(drop=True)


def _with_closed_seats(desk: Desk, seats: pd.Index) -> tuple[Hierarchy, pd.Series]:
    """Hang seats that are no longer leaves under the node that carries their past.

    Returns
    -------
    Hierarchy
    pd.Series
        Indexed by seat: the leaf that holds its past.
    """
    tree, carrier = desk.tree, desk.carrier
    rows = pd.DataFrame({NODE: tree.nodes, PARENT: tree.parents.to_numpy(), LEVEL: tree.level.to_numpy()})
    place = pd.Series(tree.leaves, index=tree.leaves, dtype="object")
    gone = [str(seat) for seat in seats if seat not in place.index and seat in carrier.index]
    above = {seat: str(carrier[seat]) for seat in gone}
    lasting = set(tree.leaves)
    leaf = {
        seat: at if at in lasting else f"{seat} (own)" if seat in tree.nodes else seat
        for seat, at in above.items()
    }
    hung = pd.DataFrame(
        [(leaf[seat], above[seat], tree.level_names[-1]) for seat in gone if leaf[seat] not in lasting],
        columns=[NODE, PARENT, LEVEL],
    )
    grown = Hierarchy.from_parent_child(pd.concat([rows, hung], ignore_index=True)) if len(hung) else tree
    return grown, pd.concat([place, pd.Series(leaf, dtype="object")])


def _placed(by_seat: pd.DataFrame, place: pd.Series) -> pd.DataFrame:
    """Add seats up by the leaf that holds their past."""
    known = by_seat[by_seat.index.isin(place.index)]
    return known.groupby(place.reindex(known.index).to_numpy()).sum(min_count=1)


def _restated(
    desk: Desk, stated: pd.DataFrame, moved: pd.DataFrame, tree: Hierarchy, quarters: list[str]
) -> pd.DataFrame:
    """Move stated targets with the seats that have moved since: times the sum of seats now, over the sum then."""
    parts = []
    for quarter in quarters:
        months = [month for month in desk.calendar.months(quarter) if month in stated.columns]
        then, now = _sum_then(desk, stated[months], tree, quarter), moved[months]
        told = stated[months].reindex(now.index)
        before = then.reindex(now.index)
        ratio = now.div(before.where(before > 0)).where(now > 0).fillna(1.0)
        parts.append(told.mul(ratio).fillna(now))
    return pd.concat(parts, axis=1) if parts else stated.reindex(moved.index)


def _sum_then(desk: Desk, stated: pd.DataFrame, present: Hierarchy, quarter: str) -> pd.DataFrame:
    """Add the seats' targets up the tree of the quarter's first day; a seat that opened later sits where it does now."""
    day = desk.calendar.start(quarter)
    if rows_on(desk.table("hierarchy"), day).empty:
        return stated.head(0)
    tree = Hierarchy.from_parent_child(desk.table("hierarchy"), as_of=day)
    seats = stated[stated.index.isin(tree.leaves)]
    later = stated[stated.index.isin(present.leaves.difference(tree.nodes))]
    return tree.roll_up(seats).add(present.roll_up(later), fill_value=0.0)


def handed_down(tree: Hierarchy, targets: pd.DataFrame) -> pd.DataFrame:
    """Make targets coherent from the top: children share what their parent has, in proportion to their own.

    Where a parent has none, its children keep theirs; a child without one gets none.
    """
    own = targets.reindex(tree.nodes).to_numpy(dtype=np.float64)
    found = own.copy()
    for depth in range(len(tree.offsets) - 2):
        above = slice(tree.offsets[depth], tree.offsets[depth + 1])
        below = slice(tree.offsets[depth + 1], tree.offsets[depth + 2])
        asked = tree.sums[depth] @ np.nan_to_num(own[below])
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(asked > 0, found[above] / asked, np.nan)
        mine = scale[tree.parent[below] - tree.offsets[depth]]
        found[below] = np.where(np.isnan(mine), own[below], own[below] * mine)
    return pd.DataFrame(found, tree.nodes, targets.columns)
