"""Where the difference between plan and result came from, to the cent.

Convention: variance = actual - plan; positive is above plan. Every split sums to it exactly,
and what a split cannot explain is a row of its own.
"""

from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import HierarchyError
from spms_lib.hierarchy import Hierarchy
from spms_lib.money import apportion
from spms_lib.review._frames import cents, need_unique, ratio
from spms_lib.review.attainment import ACTUAL, ATTAINMENT, PLAN
from spms_lib.tables import NAME, NODE, PRODUCT, VALUE, VARIANCE, need

STEP: Final = "step"
KIND: Final = "kind"
START: Final = "start"
END: Final = "end"
TOTAL: Final = "total"
PART: Final = "part"
RESIDUAL: Final = "residual"
NOT_EXPLAINED: Final = "not explained"
NOT_SPLIT: Final = "not split by product"
VOLUME: Final = "volume"
MIX: Final = "mix"


def bridge(plan: int, parts: pd.DataFrame, actual: int, *, largest: int | None = None) -> pd.DataFrame:
    """Lay out the steps from plan to actual, for a waterfall figure or a table.

    Parameters
    ----------
    plan, actual
        Totals in whole minor units.
    parts
        step (text), value (whole minor units): what each part added or took away, in the order
        to show; a null value is skipped, and so lands in the residual.
    largest
        Keep only so many parts, the largest by amount; the others become one step "other".

    Returns
    -------
    pd.DataFrame
        step, kind (total, part or residual), value, start, end (int64): "plan", the parts, "not
        explained" (always there, 0 where the parts explain all) and "actual". Each step starts
        where the one before it ended.

    Examples
    --------
    >>> parts = pd.DataFrame({"step": ["north", "south"], "value": [-30, 12]})
    >>> bridge(100, parts, 80)[["step", "value", "end"]].values.tolist()
    [['plan', 100, 100], ['north', -30, 70], ['south', 12, 82], ['not explained', -2, 80], ['actual', 80, 80]]
    """
    need(parts, [STEP, VALUE], "bridge")
    kept = parts.assign(**{VALUE: cents(parts[VALUE], "bridge")}).dropna(subset=[VALUE])
    rows = list(zip(kept[STEP], kept[VALUE].astype("int64"), strict=True))
    if largest is not None and len(rows) > largest:
        top = set(_ranked(kept[VALUE], kept[STEP])[:largest])
        other = sum(int(value) for position, (_, value) in enumerate(rows) if position not in top)
        rows = [row for position, row in enumerate(rows) if position in top]
        rows.append(("other", other))
    explained = sum(int(value) for _, value in rows)
    values = [int(value) for _, value in rows] + [actual - plan - explained]
    ends = [plan, *(plan + np.cumsum(np.array(values, dtype=np.int64)))]
    return pd.DataFrame(
        {
            STEP: ["plan", *(name for name, _ in rows), NOT_EXPLAINED, "actual"],
            KIND: [TOTAL, *[PART] * len(rows), RESIDUAL, TOTAL],
            VALUE: np.array([plan, *values, actual], dtype=np.int64),
            START: np.array([0, *ends[:-1], 0], dtype=np.int64),
            END: np.array([*ends, actual], dtype=np.int64),
        }
    )


def variance_by_node(attained: pd.DataFrame, hierarchy: Hierarchy, node: str) -> pd.DataFrame:
    """Split a node's variance by its children, largest deviation first.

    Parameters
    ----------
    attained
        node, actual, plan (whole minor units, null where unknown), for the node and its children,
        as `attainment` gives it. A parent's plan need not be the sum of its children's.
    hierarchy
        Says who the children are.
    node
        The parent.

    Returns
    -------
    pd.DataFrame
        node, name, kind, actual, plan, variance, attainment. One row (part) per child, then one
        (residual) with an empty node: the node's own numbers minus those of the children that have
        both an actual and a plan. It holds over-assignment and children without a plan. The known
        variances sum to the node's; they rank by amount, ties by node, unknown ones last.

    Raises
    ------
    HierarchyError
        If the node has no children, or is not in `attained`.
    """
    need(attained, [NODE, ACTUAL, PLAN], "attained")
    need_unique(attained, [NODE], "attained")
    children = hierarchy.children(node)
    if not len(children):
        raise HierarchyError(f"'{node}' has no children.", remedy="Choose a node above the leaves.")
    table = attained.set_index(NODE)[[ACTUAL, PLAN]]
    if node not in table.index:
        raise HierarchyError(f"'{node}' has no numbers.", where="attained", remedy="Roll up to it first.")
    table = pd.DataFrame({name: cents(table[name], "attained") for name in table})
    below = table.reindex(children).rename_axis(NODE).reset_index()
    below[NAME] = hierarchy.name.reindex(children).to_numpy()
    below[KIND] = PART
    below[VARIANCE] = below[ACTUAL] - below[PLAN]
    below = below.iloc[_ranked(below[VARIANCE], below[NODE])]
    both = below[below[VARIANCE].notna()]
    rest = pd.DataFrame(
        {
            NODE: [""],
            NAME: [NOT_EXPLAINED],
            KIND: [RESIDUAL],
            **{name: [table[name].loc[node] - both[name].sum()] for name in (ACTUAL, PLAN)},
        }
    ).astype({ACTUAL: "Int64", PLAN: "Int64"})
    rest[VARIANCE] = rest[ACTUAL] - rest[PLAN]
    whole = pd.concat([below, rest], ignore_index=True)
    whole[ATTAINMENT] = ratio(whole[ACTUAL], whole[PLAN]).where(whole[KIND] == PART)
    return whole[[NODE, NAME, KIND, ACTUAL, PLAN, VARIANCE, ATTAINMENT]]


def variance_by_product(actuals: pd.DataFrame, last_year: pd.DataFrame, *, plan: int) -> pd.DataFrame:
    """Split the variance by product into a volume and a mix effect, largest deviation first.

    The plan has no products, so it is spread by last year's mix. Volume is what a product would
    have added had the total moved with that mix unchanged; mix is the rest, and sums to zero: what
    customers bought instead of what.

    Parameters
    ----------
    actuals
        product, value (whole minor units): this period's results; rows of a product are added. An
        empty or null product means not split.
    last_year
        product, value: the same period last year. A product with net returns then gets no plan.
    plan
        Total plan, whole minor units.

    Returns
    -------
    pd.DataFrame
        product, kind, actual, plan, variance, volume, mix (int64), ranked by size of variance,
        ties by product. A last row (residual) holds results that are not split by product: they
        have no mix. variance = volume + mix in every row, and variances sum to actual - plan.

    Raises
    ------
    NoBasisError
        If no product sold anything last year, so that there is no mix.

    Examples
    --------
    >>> now = pd.DataFrame({"product": ["bikes", "parts"], "value": [60, 60]})
    >>> before = pd.DataFrame({"product": ["bikes", "parts"], "value": [50, 50]})
    >>> variance_by_product(now, before, plan=100)[["volume", "mix"]].values.tolist()
    [[10, 0], [10, 0], [0, 0]]
    """
    now, before = (
        _by_product(table, where) for table, where in ((actuals, "actuals"), (last_year, "last year"))
    )
    not_split = int(now.pop("")) if "" in now else 0
    products = sorted(set(now.index) | set(before.index) - {""})
    actual = now.reindex(products, fill_value=0)
    mix_base = before.reindex(products, fill_value=0).clip(lower=0)
    planned = apportion(plan, mix_base)
    volume = apportion(int(actual.sum()) - plan, mix_base)
    table = pd.DataFrame(
        {
            PRODUCT: pd.Series(products, dtype="str"),
            KIND: PART,
            ACTUAL: actual.to_numpy(),
            PLAN: planned.to_numpy(),
            VARIANCE: (actual - planned).to_numpy(),
            VOLUME: volume.to_numpy(),
            MIX: (actual - planned - volume).to_numpy(),
        }
    )
    table = table.iloc[_ranked(table[VARIANCE], table[PRODUCT])]
    rest = [NOT_SPLIT, RESIDUAL, not_split, 0, not_split, not_split, 0]
    return pd.concat([table, pd.DataFrame([rest], columns=table.columns)], ignore_index=True)


def _by_product(table: pd.DataFrame, where: str) -> "pd.Series[int]":
    need(table, [PRODUCT, VALUE], where)
    product = table[PRODUCT].astype("str").fillna("").str.strip()
    return cents(table[VALUE], where).groupby(product).sum().astype("int64")


def _ranked(amounts: pd.Series, names: pd.Series) -> list[int]:
    """Order positions by size of amount, largest first; ties by name, nulls last."""
    keys = [
        (0, -abs(int(amount)), str(name)) if pd.notna(amount) else (1, 0, str(name))
        for amount, name in zip(amounts, names, strict=True)
    ]
    return sorted(range(len(keys)), key=keys.__getitem__)
