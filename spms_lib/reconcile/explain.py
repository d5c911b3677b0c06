"""Why a number is what it is: who contributed how much, along which chain, and what would change if a limit were lifted."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from spms_lib.hierarchy import Hierarchy
from spms_lib.projection.problem import FREE, HELD
from spms_lib.reconcile.grid import ONLY
from spms_lib.reconcile.plan import BOUND, CUT, HOLD, KINDS, ROUNDING, Plan, changes, revise
from spms_lib.tables import NAME, NODE, PERIOD, SOURCE, VALUE

Cell = str | tuple[str, ...]


def explain(
    plan: Plan, node: Cell, periods: Sequence[str] | None = None, *, each_limit: bool = False
) -> pd.DataFrame:
    """Say how much of a node's number came from whom.

    Parameters
    ----------
    node
        A node, or the keys of a cell of a crossed hierarchy.
    periods
        Periods that are added up; all of them without it.
    each_limit
        True names every hold, bound and cut by itself, the largest first, instead of their sums.

    Returns
    -------
    pd.DataFrame
        Columns source, value (minor units), share (of the number; missing where it is 0); the values sum to the
        commitment.

    Examples
    --------
    >>> from spms_lib.reconcile.plan import reconcile
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> heard = pd.DataFrame(
    ...     [("t", "p", "target", 100.0, 25.0), ("a", "p", "field", 60.0, 10.0), ("b", "p", "field", 50.0, 15.0)],
    ...     columns=["node", "period", "source", "value", "variance"],
    ... )
    >>> explain(reconcile(tree, heard), "a").round(2).values.tolist()
    [['target', 20.0, 0.34], ['field', 38.0, 0.66], ['hold', 0.0, 0.0], ['rounding', 0.0, 0.0]]
    """
    place, columns = _place(plan, node), _columns(plan, periods)
    rows = _limit_parts(plan, place, columns)
    table = _source_parts(plan, place, columns)
    known = rows.groupby("kind")[VALUE].sum()
    table[HOLD] = float(known.get(HOLD, 0.0))
    if plan.layout.cuts:
        table[CUT] = float(known.get(CUT, 0.0))
    if plan.problem.bounded:
        table[BOUND] = float(plan.found[place, columns].sum()) - sum(table.values())
    table[ROUNDING] = float(plan.units[place, columns].sum()) - sum(table.values())
    if each_limit:
        ranked = rows.iloc[np.argsort(-rows[VALUE].abs().to_numpy(), kind="stable")]
        named = {row[SOURCE]: float(row[VALUE]) for row in ranked.to_dict("records")}
        others = {name: value for name, value in table.items() if name not in {HOLD, BOUND, CUT}}
        left = sum(table.values()) - sum(others.values()) - sum(named.values())
        table = (
            {**others, **named, BOUND: left}
            if plan.problem.bounded and abs(left) > 0.5
            else {**others, **named}
        )
        table[ROUNDING] = table.pop(ROUNDING)
    total = float(plan.units[place, columns].sum())
    made = pd.DataFrame({SOURCE: list(table), VALUE: list(table.values())})
    return made.assign(share=made[VALUE] / total if total else np.nan)


def _source_parts(plan: Plan, place: int, columns: list[int]) -> dict[str, float]:
    certain = np.broadcast_to(plan.problem.variance == 0, plan.found.shape)
    parts = {}
    weights = {column: _weights(plan, place, column) for column in columns}
    for voice in plan.heard.voices:
        own = plan.weighed.estimates(plan.layout, plan.heard.part(voice))
        parts[voice.name] = sum(
            float(on_estimates @ own[:, h] + (on_limits * certain[:, h]) @ own[:, h])
            for h, (on_estimates, on_limits) in weights.items()
        )
    return parts


def _weights(plan: Plan, place: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    unit = np.zeros(len(plan.layout.structure))
    unit[place] = 1.0
    return plan.answer.linear.adjoint(unit, column)


def _limit_parts(plan: Plan, place: int, columns: list[int]) -> pd.DataFrame:
    """Say what each limit contributes: columns source (its kind and name), kind, value."""
    answer, own = plan.answer, len(plan.layout.base)
    certain = np.broadcast_to(plan.problem.variance == 0, plan.found.shape)
    parts: dict[tuple[str, str], float] = {}
    for column in columns:
        _, on_limits = _weights(plan, place, column)
        states = answer.states[:, column]
        for cell in np.flatnonzero((states != FREE) & ~certain[:, column] & (on_limits != 0)).tolist():
            kind = CUT if cell >= own else HOLD if states[cell] == HELD else BOUND
            word = {HOLD: HOLD, CUT: CUT}.get(kind, f"{KINDS[int(states[cell])]} bound")
            key = f"{word} of {plan.layout.structure.label(cell)}", kind
            parts[key] = parts.get(key, 0.0) + float(on_limits[cell] * plan.found[cell, column])
    rows = [(name, kind, value) for (name, kind), value in parts.items()]
    return pd.DataFrame(rows, columns=[SOURCE, "kind", VALUE]).astype({VALUE: float})


def chain(plan: Plan, node: Cell, periods: Sequence[str] | None = None) -> pd.DataFrame:
    """Follow a number from the root down to a node: what each source says on the way, and what was planned.

    Returns
    -------
    pd.DataFrame
        A row per node of the path: node, name, one column per source (minor units; missing where it has not spoken for
        all periods), plan (commitment), share (of the node above).
    """
    layout, columns = plan.layout, _columns(plan, periods)
    path = _path(plan, node)
    table = pd.DataFrame(
        {NODE: [label for label, _ in path], NAME: [_name(plan, place) for _, place in path]}
    )
    width = len(layout.periods)
    for voice in plan.heard.voices:
        said = pd.Series(voice.value, voice.flat)
        wanted = [[place * width + column for column in columns] for _, place in path]
        table[voice.name] = [said.reindex(cells).sum(min_count=len(cells)) for cells in wanted]
    planned = np.array([plan.units[place, columns].sum() for _, place in path])
    above = np.concatenate([[0], planned[:-1]])
    share = np.divide(planned, above, out=np.full(len(path), np.nan), where=above != 0)
    return table.assign(plan=planned, share=share)


def if_lifted(plan: Plan, node: Cell, period: str) -> pd.DataFrame:
    """Say what would change if the hold or bound on a node were lifted: see `changes`, largest change first."""
    keys = [node] if isinstance(node, str) else list(node)
    row = dict(zip(plan.layout.keys, keys, strict=False))
    return changes(plan, revise(plan, lift=pd.DataFrame([{**row, PERIOD: period}])))


def steps(plan: Plan, node: Cell, periods: Sequence[str] | None = None, *, most: int = 8) -> pd.DataFrame:
    """Lay an explanation out as steps of a bridge: columns label, value (minor units), kind (change or total).

    Parameters
    ----------
    most
        Contributions named one by one; the smaller ones are one step.
    """
    parts = explain(plan, node, periods, each_limit=True)
    total = float(parts[VALUE].sum())
    size = parts[VALUE].abs().to_numpy()
    ranked = np.argsort(-size, kind="stable")
    named = np.sort([place for place in ranked[:most] if size[place] >= max(0.5, 0.0005 * abs(total))])
    rows = [(row[SOURCE], row[VALUE], "change") for row in parts.iloc[named].to_dict("records")]
    rest = total - float(parts[VALUE].iloc[named].sum())
    if abs(rest) >= 0.5:
        rows.append((f"{len(parts) - len(named)} smaller", rest, "change"))
    rows.append(("Plan", total, "total"))
    return pd.DataFrame(rows, columns=["label", "value", "kind"])


def sentence(
    plan: Plan, node: Cell, periods: Sequence[str] | None = None, *, money: Callable[[float | None], str]
) -> str:
    """Explain a number in one sentence, with the largest contributions first.

    Parameters
    ----------
    money
        Writes an amount of minor units.
    """
    parts = explain(plan, node, periods, each_limit=True)
    total = float(parts[VALUE].sum())
    ranked = parts.iloc[np.argsort(-parts[VALUE].abs().to_numpy(), kind="stable")]
    named = [
        f"{money(row[VALUE])} from {_the(row[SOURCE])}"
        + (f" ({row['share']:.0%})" if pd.notna(row["share"]) else "")
        for row in ranked.head(4).to_dict("records")
        if abs(row[VALUE]) >= 1
    ]
    others = float(ranked[VALUE].iloc[4:].sum())
    tail = (
        f" and {money(others)} from {len(ranked) - 4} others" if len(ranked) > 4 and abs(others) >= 1 else ""
    )
    place, columns = _place(plan, node), _columns(plan, periods)
    own = plan.answer.states[place, columns]
    stands = f" It stands on its own {KINDS[int(own[own != FREE][0])]}." if (own != FREE).any() else ""
    return f"{_name(plan, place)} is planned at {money(total)}: {', '.join(named)}{tail}.{stands}"


def _the(source: str) -> str:
    return f"the {source}"


def _name(plan: Plan, place: int) -> str:
    base = plan.layout.base
    return str(base.name.iloc[place]) if isinstance(base, Hierarchy) else base.label(place)


def _place(plan: Plan, node: Cell) -> int:
    base = plan.layout.base
    if isinstance(base, Hierarchy):
        return base.position(node if isinstance(node, str) else node[0])
    return base.position(*((node,) if isinstance(node, str) else node))


def _path(plan: Plan, node: Cell) -> list[tuple[str, int]]:
    """List the cells from the top down to a node, along one dimension after the other."""
    base = plan.layout.base
    if isinstance(base, Hierarchy):
        names = base.path(node if isinstance(node, str) else node[0])
        return [(name, base.position(name)) for name in names]
    wanted = (node,) if isinstance(node, str) else node
    trees = list(base.dimensions.values())
    here = [tree.root for tree in trees]
    cells = [tuple(here)]
    for axis, tree in enumerate(trees):
        for step in tree.path(wanted[axis])[1:]:
            here[axis] = step
            cells.append(tuple(here))
    return [(" x ".join(cell), base.position(*cell)) for cell in cells]


def _columns(plan: Plan, periods: Sequence[str] | None) -> list[int]:
    if periods is None or plan.layout.periods == [ONLY]:
        return list(range(len(plan.layout.periods)))
    found: list[int] = plan.layout.columns(pd.Series(list(periods), dtype=object), "periods").tolist()
    return found
