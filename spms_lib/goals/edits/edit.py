"""Edits: one change of a draft as data, applied exactly, shown before it is kept, and proved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.errors import InfeasibleError, ParamsError
from spms_lib.goals.edits.absorb import absorb
from spms_lib.goals.edits.draft import Area, Bools, Draft, Floats, Held, Ints
from spms_lib.goals.edits.shares import opened, share
from spms_lib.goals.edits.spreads import METHODS, Action, Block, Over, Spread, Wish

TRANSFER: Final = "transfer"
REQUIRED: Final = ("method", "node", "period")
AMOUNTS: Final = ("amount", "last")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of targets, as a planner states it.

    Attributes
    ----------
    method
        One of `METHODS`, or `transfer`.
    node, period
        What is changed: any node, a month or a longer period of the draft.
    amount
        Whole minor units.
    action
        Whether the amount replaces what is there, is added, or subtracted.
    ratio
        For `percent_change` and `relative_percent` the multiple (1.1 is 110 %), for `growth` the growth per month.
    last
        For `straight_line` the amount of the last month, minor units.
    pattern
        For `pattern`: see `spms_lib.goals.seasonality.pattern_shares`.
    reference
        For the relative methods: the name of a table handed to `apply`, or a node and period of the draft itself.
    over
        For equal spreads: leaves of which somebody has spoken, all, or those that are not zero.
    to
        For `transfer`: who receives the amount.
    """

    method: str
    node: str
    period: str
    amount: int | None = None
    action: Action = "replace"
    ratio: float | None = None
    last: int | None = None
    pattern: str | tuple[float, ...] | None = None
    reference: str | tuple[str, str] | None = None
    over: Over = "said"
    to: str | None = None

    def __post_init__(self) -> None:
        known = [*METHODS, TRANSFER]
        if self.method not in known:
            near = get_close_matches(self.method, known, n=1)
            raise ParamsError(
                f"There is no method '{self.method}'.",
                where="edit",
                remedy=f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(known)}.",
            )
        needs, takes = self._may_say()
        missing = [name for name in needs if getattr(self, name) is None]
        extra = [
            one.name
            for one in fields(self)
            if one.name not in {*REQUIRED, *needs, *takes} and getattr(self, one.name) != one.default
        ]
        if missing or extra:
            raise ParamsError(
                f"'{self.method}' needs {', '.join(missing)}."
                if missing
                else f"'{self.method}' does not use {', '.join(extra)}.",
                where=f"edit of '{self.node}' in {self.period}",
                remedy=f"Give {', '.join(needs) or 'nothing more'}; it may also take {', '.join(takes) or 'nothing'}.",
            )
        for name, choices in (
            ("action", ("replace", "add", "subtract")),
            ("over", ("said", "all", "nonzero")),
        ):
            if getattr(self, name) not in choices:
                raise ParamsError(
                    f"There is no {name} '{getattr(self, name)}'.",
                    where="edit",
                    remedy=f"Use {', '.join(choices)}.",
                )
        for name in AMOUNTS:
            given = getattr(self, name)
            if given is not None and (isinstance(given, bool) or int(given) != given):
                raise ParamsError(
                    f"The {name} {given!r} is not whole.", where="edit", remedy="Give minor units."
                )

    def _may_say(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if self.method == TRANSFER:
            return ("amount", "to"), ()
        return METHODS[self.method].needs, METHODS[self.method].takes

    def said(self) -> dict[str, Any]:
        """Return what was stated, without what is left at its default: plain data for a file or the ledger."""
        return {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name in REQUIRED or getattr(self, one.name) != one.default
        }

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Edit":
        """Return the edit that `said` describes; unknown names are refused."""
        unknown = [name for name in said if name not in {one.name for one in fields(cls)}]
        if unknown:
            raise ParamsError(f"An edit has no '{unknown[0]}'.", where="edit", remedy="See `Edit`.")
        lists = {name: tuple(value) for name, value in said.items() if isinstance(value, list)}
        return cls(**{**said, **lists})

    def words(self, money: Callable[[int], str]) -> str:
        """Say it in a line, amounts as `money` writes minor units."""
        said = {name: value for name, value in self.said().items() if name not in REQUIRED}
        parts = [f"{name} {money(value) if name in AMOUNTS else value}" for name, value in said.items()]
        return ", ".join([f"{self.method} on {self.node} in {self.period}", *parts])

    def __str__(self) -> str:
        """Say it in a line, amounts in minor units."""
        return self.words(lambda amount: f"{amount:,}")


def apply(draft: Draft, edit: Edit, *, references: Mapping[str, pd.DataFrame] | None = None) -> Draft:
    """Apply one edit; the draft given is unchanged.

    The edited cells get what the edit says. What is held below the node stays, cell by cell, and the others below it make
    room. Where a sum above is held, the leaves beside the edit absorb the difference in proportion; nothing else moves.

    Parameters
    ----------
    references
        Tables that a relative edit may name: leaves x months, minor units, such as last year's.

    Returns
    -------
    Draft

    Raises
    ------
    InfeasibleError
        If the node itself is held, or holds leave no room for the edit; it names them.

    References
    ----------
    The spread methods and their names are those of IBM Planning Analytics; holds as in its breakback.

    Examples
    --------
    >>> from spms_lib.calendar import FiscalCalendar
    >>> from spms_lib.hierarchy import Hierarchy
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["anna"], "parent": [None]}))
    >>> months = pd.DataFrame([[10, 20, 30]], index=["anna"], columns=["2026-01", "2026-02", "2026-03"])
    >>> draft = Draft.of(tree, months, FiscalCalendar()).hold("anna", "2026-02")
    >>> apply(draft, Edit("proportional", "anna", "2026Q1", amount=100)).values.tolist()
    [[20, 20, 60]]
    """
    areas = [draft.grid.area(edit.node, edit.period)]
    if edit.method == TRANSFER:
        assert edit.to is not None
        areas.append(draft.grid.area(edit.to, edit.period))
        if areas[0].meets(areas[1]):
            raise InfeasibleError(
                f"'{edit.node}' and '{edit.to}' lie below each other.",
                where=str(edit),
                remedy="Transfer between nodes that have nothing in common.",
            )
    for node in [edit.node, *([edit.to] if edit.to else [])]:
        if draft.is_held(node, edit.period):
            raise InfeasibleError(
                f"'{node}' is held in {edit.period} at {draft.value(node, edit.period):,} (minor units).",
                where=str(edit),
                remedy="Lift the hold first.",
            )
    values, known = draft.values.copy(), draft.known.copy()
    if edit.method == TRANSFER:
        _transfer(draft, edit, areas, values, known)
    else:
        block = _block(draft, areas[0], _referred(draft, edit, areas[0], references or {}))
        wish = Wish(edit.amount, edit.ratio, edit.last, edit.pattern, edit.action, edit.over)
        spread = METHODS[edit.method].spread(block, wish)
        values[areas[0]], known[areas[0]] = _placed(draft, edit, areas[0], block, spread)
    edited = np.zeros(values.shape, dtype=bool)
    for area in areas:
        edited[area] = True
    over = [
        (held, area)
        for held, area in draft.areas_held()
        if any(area.meets(mine) and not area.within(mine) for mine in areas)
    ]
    if any(values[area].sum() != held.value for held, area in over):
        try:
            values = absorb(draft, values, known, edited, over)
        except InfeasibleError as refusal:
            beside = [
                held for held, area in draft.areas_held() if any(area.meets(outer) for _, outer in over)
            ]
            raise _no_room(edit, beside) from refusal
    return replace(draft, values=values, known=known)


def _block(draft: Draft, area: Area, reference: Floats | None = None) -> Block:
    """Take the cells of an area, those below a hold marked as not free."""
    free = np.ones(draft.values[area].shape, dtype=bool)
    for _, held in draft.areas_held():
        if held.within(area):
            rows = slice(held.rows.start - area.rows.start, held.rows.stop - area.rows.start)
            free[rows, held.columns.start - area.columns.start : held.columns.stop - area.columns.start] = (
                False
            )
    return Block(draft.values[area].astype(float), draft.known[area], free, reference)


def _placed(draft: Draft, edit: Edit, area: Area, block: Block, spread: Spread) -> tuple[Ints, Bools]:
    """Find the numbers of an area: first each month's total, then its cells, both shared by variance."""
    wanted = np.where(block.free, spread.wanted, block.values)
    variance = np.where(block.free, spread.variance, 0.0)
    known = np.where(block.free, spread.known, block.known)
    if spread.total is not None:
        idle = not variance.any() and (spread.total != round(float(wanted.sum())) or not known.any())
        variance = opened(variance, np.array(idle), known, block.free)
        by_month = share(np.array([spread.total]), wanted.sum(axis=0)[:, None], variance.sum(axis=0)[:, None])
        months = by_month[:, 0]
    else:
        assert spread.months is not None
        months = np.where(np.isnan(spread.months), np.rint(wanted.sum(axis=0)), spread.months).astype(
            np.int64
        )
        months = np.where(block.free.any(axis=0), months, np.rint(wanted.sum(axis=0)).astype(np.int64))
        stuck = (variance.sum(axis=0) == 0) & (months != wanted.sum(axis=0))
        variance = opened(variance, stuck, known, block.free)
    found = share(months, wanted, variance)
    total = spread.total if spread.total is not None else int(months.sum())
    fixed, lost = variance == 0, (found < 0) & (wanted >= 0) & block.free
    overdrawn = spread.keeps_sign and lost.any()
    if int(found.sum()) != total or (found != wanted)[fixed].any() or overdrawn:
        raise _no_room(edit, [held for held, place in draft.areas_held() if place.within(area)], total)
    return found, known | (found != 0) | (variance > 0)


def _transfer(draft: Draft, edit: Edit, areas: Sequence[Area], values: Ints, known: Bools) -> None:
    """Take the amount from one node and give it to another, month by month in the giver's phasing."""
    assert edit.amount is not None
    giver, taker = (_block(draft, area) for area in areas)
    if edit.amount < 0 or not giver.known.any():
        raise InfeasibleError(
            f"'{edit.node}' has no number to transfer from."
            if edit.amount >= 0
            else "A negative amount cannot be transferred.",
            where=str(edit),
            remedy="Swap giver and taker." if edit.amount < 0 else "Give it a number first.",
        )
    less = Spread(giver.values, np.abs(giver.values), giver.known, round(giver.total) - edit.amount)
    values[areas[0]], known[areas[0]] = _placed(draft, edit, areas[0], giver, less)
    given = giver.values.sum(axis=0) - values[areas[0]].sum(axis=0)
    more = Spread(taker.values, np.abs(taker.values), taker.known, months=taker.values.sum(axis=0) + given)
    placed, heard = _placed(draft, edit, areas[1], taker, more)
    if (placed.sum(axis=0) != more.months).any():
        raise _no_room(edit, [held for held, place in draft.areas_held() if place.within(areas[1])])
    values[areas[1]], known[areas[1]] = placed, heard


def _referred(draft: Draft, edit: Edit, area: Area, references: Mapping[str, pd.DataFrame]) -> Floats | None:
    """Find the cells that an edit refers to, in the shape of its own."""
    if edit.reference is None:
        return None
    if isinstance(edit.reference, tuple):
        other = draft.grid.area(*edit.reference)
        found = draft.values[other].astype(float)
    elif edit.reference in references:
        table = references[edit.reference]
        rows, months = draft.grid.leaves[area.rows], list(draft.grid.months[area.columns])
        found = table.reindex(index=rows, columns=months).fillna(0.0).to_numpy(dtype=float)
    else:
        raise ParamsError(
            f"There is no reference '{edit.reference}'.",
            where=str(edit),
            remedy=f"Known: {', '.join(references) or 'none'}; or name a node and period of the draft.",
        )
    if found.shape != draft.values[area].shape:
        raise ParamsError(
            f"The reference has {found.shape[0]} leaves x {found.shape[1]} months, "
            f"'{edit.node}' {draft.values[area].shape[0]} x {draft.values[area].shape[1]}.",
            where=str(edit),
            remedy="Refer to cells of the same shape.",
        )
    return found


def _no_room(edit: Edit, holds: Sequence[Held], total: int | None = None) -> InfeasibleError:
    """Say that holds leave no room for an edit, and which."""
    named = ", ".join(f"'{held.node}' {held.period} at {held.value:,}" for held in holds[:5])
    more = f" and {len(holds) - 5} more" if len(holds) > 5 else ""
    asked = f" become {total:,}" if total is not None else " be changed so"
    return InfeasibleError(
        f"'{edit.node}' cannot{asked} in {edit.period}: "
        + (f"held are {named}{more} (minor units)." if holds else "nothing below it can move."),
        where=str(edit),
        remedy="Choose another amount, or lift one of the holds.",
    )
