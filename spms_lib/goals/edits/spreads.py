"""Spread methods by their names in the trade, each a choice of what is wanted of every cell and how far it may move."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from spms_lib.errors import NoBasisError, ParamsError
from spms_lib.goals.edits.draft import Bools, Floats
from spms_lib.goals.seasonality import pattern_shares

Action = Literal["replace", "add", "subtract"]
Over = Literal["said", "all", "nonzero"]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The cells that an edit is about, as they are before it.

    Attributes
    ----------
    values, known, free
        Shape (n_leaves, n_months): numbers (0 where null), whether somebody has spoken, whether an edit may touch the cell.
    reference
        Same shape: the cells whose shape or size is taken over; None for most methods.
    """

    values: Floats
    known: Bools
    free: Bools
    reference: Floats | None = None

    @property
    def total(self) -> float:
        """What the block adds up to."""
        return float(self.values.sum())

    @property
    def by_month(self) -> Floats:
        """Shape (n_months,): what each month adds up to."""
        sums: Floats = self.values.sum(axis=0)
        return sums

    @property
    def spoken(self) -> Bools:
        """Cells that an edit may touch and of which somebody has spoken."""
        return self.known & self.free


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What an edit wants of its cells: their numbers, how far each may move, and what they must add up to.

    Attributes
    ----------
    wanted, variance, known
        Shape (n_leaves, n_months). Cells that are not free keep their numbers, whatever stands here.
    total
        Whole minor units of all cells; None where months have their own.
    months
        Shape (n_months,): whole minor units of each month, null (NaN) where the cells' own sum decides; None with `total`.
    keeps_sign
        True where the free cells may not turn from positive to negative to make room for what is held.
    """

    wanted: Floats
    variance: Floats
    known: Bools
    total: int | None = None
    months: Floats | None = None
    keeps_sign: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """The numbers of an edit: see `Edit` for what each means."""

    amount: int | None = None
    ratio: float | None = None
    last: int | None = None
    pattern: str | Sequence[float] | None = None
    action: Action = "replace"
    over: Over = "said"

    def onto(self, before: Floats, change: Floats) -> Floats:
        """Combine what was there with what the edit says: replace, add or subtract."""
        return {"replace": change, "add": before + change, "subtract": before - change}[self.action]

    def total(self, block: Block) -> int:
        """Return what the block must add up to."""
        assert self.amount is not None
        return round(float(self.onto(np.array(block.total), np.array(float(self.amount)))))


def proportional(block: Block, wish: Wish) -> Spread:
    """Keep the shape: variance in proportion to value, so zeros stay zero unless all are."""
    total = wish.total(block)
    return Spread(block.values, np.abs(block.values), block.known, total, keeps_sign=total >= 0)


def equal(block: Block, wish: Wish) -> Spread:
    """Give every cell the same; with add or subtract, the same change."""
    chosen = _chosen(block, wish.over)
    wanted = np.where(chosen, 0.0, block.values) if wish.action == "replace" else block.values
    variance = chosen.astype(float)
    return Spread(wanted, variance, block.known | chosen, wish.total(block), keeps_sign=False)


def fill(block: Block, wish: Wish) -> Spread:
    """Keep what was said, and share the rest equally among those of whom nobody has spoken."""
    silent = block.free & ~block.known
    total = wish.total(block)
    if not silent.any() or total < block.total:
        raise NoBasisError(
            "Everybody below has a number already."
            if not silent.any()
            else f"What was said adds up to {block.total:,.0f}, more than {total:,} (minor units).",
            where="fill",
            remedy="Use another method, such as proportional.",
        )
    return Spread(block.values, silent.astype(float), block.known | silent, total)


def repeat(block: Block, wish: Wish) -> Spread:
    """Give every month of the node the same amount, in the shape that the month has."""
    assert wish.amount is not None
    months = wish.onto(block.by_month, np.full(block.values.shape[1], float(wish.amount)))
    return Spread(block.values, np.abs(block.values), block.known, months=months)


def repeat_leaves(block: Block, wish: Wish) -> Spread:
    """Give every leaf and month the same amount."""
    assert wish.amount is not None
    chosen = _chosen(block, wish.over)
    return _each_cell(block, chosen, wish.onto(block.values, np.full(block.values.shape, float(wish.amount))))


def percent_change(block: Block, wish: Wish) -> Spread:
    """Multiply every cell by the ratio, or add or subtract that part of it."""
    assert wish.ratio is not None
    return _each_cell(block, block.spoken, wish.onto(block.values, block.values * wish.ratio))


def straight_line(block: Block, wish: Wish) -> Spread:
    """Let the months run in a straight line from the first amount to the last."""
    assert wish.amount is not None
    assert wish.last is not None
    line = np.linspace(float(wish.amount), float(wish.last), block.values.shape[1])
    months = np.rint(wish.onto(block.by_month, line))
    return Spread(block.values, np.abs(block.values), block.known, months=months)


def growth(block: Block, wish: Wish) -> Spread:
    """Let the months grow by the ratio from the first amount on: a, a(1 + g), a(1 + g)^2 ..."""
    assert wish.amount is not None
    assert wish.ratio is not None
    steps = np.arange(block.values.shape[1], dtype=np.float64)
    path: Floats = wish.amount * (1.0 + wish.ratio) ** steps
    months = np.rint(wish.onto(block.by_month, path))
    return Spread(block.values, np.abs(block.values), block.known, months=months)


def relative_proportional(block: Block, wish: Wish) -> Spread:
    """Split the amount in the shape of the reference; with add or subtract, the amount is added in that shape."""
    shape = np.abs(_reference(block))
    if not (shape * block.free).any():
        raise NoBasisError(
            "The reference is zero throughout.",
            where="relative_proportional",
            remedy="Choose a reference with a shape, or spread equally.",
        )
    chosen = block.free & (shape > 0)
    wanted = np.where(block.free, 0.0, block.values) if wish.action == "replace" else block.values
    return Spread(
        wanted, np.where(chosen, shape, 0.0), block.known | chosen, wish.total(block), keeps_sign=False
    )


def relative_percent(block: Block, wish: Wish) -> Spread:
    """Set every cell to the reference's times the ratio, or add or subtract that."""
    assert wish.ratio is not None
    reference = _reference(block)
    chosen = block.free & (block.known | (reference != 0))
    return _each_cell(block, chosen, wish.onto(block.values, reference * wish.ratio))


def pattern(block: Block, wish: Wish) -> Spread:
    """Lay the amount over the months by a pattern, such as 4-4-5, in the shape that each month has."""
    assert wish.pattern is not None
    shares = pattern_shares(wish.pattern, block.values.shape[1])
    size = np.where(block.spoken, np.abs(block.values), 0.0)
    size = size if size.any() else (block.spoken if block.spoken.any() else block.free).astype(float)
    mix = np.where(size.sum(axis=0) > 0, size, np.where(block.free, size.sum(axis=1, keepdims=True), 0.0))
    within = np.divide(mix, mix.sum(axis=0), out=np.zeros(mix.shape), where=mix.sum(axis=0) > 0)
    variance = within * shares
    wanted = np.where(block.free, 0.0, block.values) if wish.action == "replace" else block.values
    known = block.known | (variance > 0)
    return Spread(wanted, variance, known, wish.total(block), keeps_sign=False)


def clear(block: Block, wish: Wish) -> Spread:  # noqa: ARG001 - every method has the same form
    """Take every number back: nobody has said anything. That is not zero."""
    wanted = np.where(block.free, 0.0, block.values)
    nothing = np.zeros(block.values.shape)
    months = np.where(block.free, 0.0, block.values).sum(axis=0)
    return Spread(wanted, nothing, block.known & ~block.free, months=months)


@dataclass(frozen=True, slots=True)
class Method:
    """A spread method, what it must be told, and what it may be told.

    Attributes
    ----------
    needs, takes
        Fields of `Edit` that must be given, and that may be.
    """

    spread: Callable[[Block, Wish], Spread]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = field(default=("action",))


METHODS: Final[dict[str, Method]] = {
    "proportional": Method(proportional, ("amount",)),
    "equal": Method(equal, ("amount",), ("action", "over")),
    "repeat": Method(repeat, ("amount",)),
    "repeat_leaves": Method(repeat_leaves, ("amount",), ("action", "over")),
    "percent_change": Method(percent_change, ("ratio",)),
    "straight_line": Method(straight_line, ("amount", "last")),
    "growth": Method(growth, ("amount", "ratio")),
    "relative_proportional": Method(relative_proportional, ("amount", "reference")),
    "relative_percent": Method(relative_percent, ("ratio", "reference")),
    "pattern": Method(pattern, ("amount", "pattern")),
    "fill": Method(fill, ("amount",)),
    "clear": Method(clear, (), ()),
}
"""Name to spread method."""


def _each_cell(block: Block, chosen: Bools, wanted: Floats) -> Spread:
    """Want a number of each chosen cell; months add up to the rounded sum of what is wanted."""
    kept = np.where(chosen, wanted, block.values)
    return Spread(
        kept,
        np.where(chosen, np.abs(kept), 0.0),
        block.known | chosen,
        months=np.full(block.values.shape[1], np.nan),
        keeps_sign=False,
    )


def _chosen(block: Block, over: Over) -> Bools:
    """Choose the cells that share equally; all free cells where nobody has spoken of any."""
    if over == "all" or not block.spoken.any():
        return block.free
    return block.spoken & (block.values != 0) if over == "nonzero" else block.spoken


def _reference(block: Block) -> Floats:
    if block.reference is None:
        raise ParamsError("There is no reference.", where="edit", remedy="Name the reference of the edit.")
    return block.reference
