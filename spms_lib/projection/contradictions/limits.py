"""Limits and contradictions: what they are, and when two numbers miss each other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spms_lib.errors import TableError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.int64]

HOLD: Final = "hold"
LOWER: Final = "lower"
UPPER: Final = "upper"

ABSOLUTE: Final = 1e-6  # minor units that limits may miss each other by
RELATIVE: Final = 1e-12  # the same, as a ratio of their size


@dataclass(frozen=True, slots=True)
class Limit:
    """One hold or bound.

    Attributes
    ----------
    position
        The node (tree) or variable (general) that it limits.
    kind
        "hold", "lower" or "upper".
    value
        Where the limit lies, in minor units.
    """

    position: int
    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Limits that cannot all be met; lifting any one of them resolves it.

    Attributes
    ----------
    column
        The column (period) in which they meet.
    members
        The limits. On a tree the limit of `node` comes first, then those below it in the order of
        the tree; otherwise by position. A hold is one member. Two members at one position are a
        lower bound above an upper bound.
    excess
        Minor units by which they miss each other, positive: the least total change of the
        members that makes them agree.
    node
        The node at which they meet; None where the structure is not a tree.
    of_children
        True where the other members are one limit on each child of `node`.
    """

    column: int
    members: tuple[Limit, ...]
    excess: float
    node: int | None
    of_children: bool = False


def check_limits(lower: Floats, upper: Floats, shape: tuple[int, ...]) -> None:
    if lower.shape != shape or upper.shape != shape:
        raise TableError(
            f"Lower bounds have shape {lower.shape} and upper bounds {upper.shape}, not {shape}.",
            where="bounds",
            remedy="Give one row per node or variable, in their order, -inf and +inf where there is no bound.",
        )
    if not ((lower < np.inf).all() and (upper > -np.inf).all()):
        raise TableError(
            "A lower bound is NaN or +inf, or an upper bound is NaN or -inf.",
            where="bounds",
            remedy="Use -inf for no lower bound and +inf for no upper bound.",
        )


def tolerance(*sizes: float) -> float:
    return ABSOLUTE + RELATIVE * max(abs(size) for size in sizes)


def own_pair(position: int, column: int, floor: float, cap: float, node: int | None) -> Contradiction:
    return Contradiction(
        column, (Limit(position, LOWER, floor), Limit(position, UPPER, cap)), floor - cap, node
    )


def limit_at(lower: Floats, upper: Floats, position: int, column: int, sign: float) -> Limit:
    floor, cap = float(lower[position, column]), float(upper[position, column])
    if floor == cap:
        return Limit(position, HOLD, cap)
    return Limit(position, LOWER, floor) if sign > 0 else Limit(position, UPPER, cap)
