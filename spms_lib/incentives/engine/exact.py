"""Quotients of whole numbers, rounded exactly, for whole arrays at the speed of machine integers.

A payout is a product of money, quotas and rates over a product of denominators. The products do not
fit into 64 bits, the payout does. Its quotient is first guessed in floating point, good to a unit or
two; the remainder of the guess, taken modulo 2^64 (where machine integers wrap), is then exact, and
corrects it. So the result does not depend on how a machine rounds. Rows too large for that are
computed with integers of any size.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spms_lib.errors import MoneyError
from spms_lib.incentives.plan.model import HALF_EVEN, HALF_UP

Ints = NDArray[np.int64]
Formula = Callable[..., tuple[Sequence[Any], Any]]

_SAFE_QUOTIENT: Final = 2.0**46  # floating point is then wrong by less than one unit
_SAFE_DENOMINATOR: Final = 2.0**59
_LARGEST: Final = 2**63 - 1


def rounded(formula: Formula, arguments: Sequence[Ints], *, half: str = HALF_UP, to: int = 1) -> Ints:
    """Round a quotient of whole numbers to the nearest multiple of `to`, exactly.

    Parameters
    ----------
    formula
        Takes the arguments and returns the terms of the numerator and the positive denominator.
        It may add, subtract and multiply only, so that it holds for machine integers (which
        wrap), floats, and integers of any size.
    arguments
        Arrays of one shape, int64.
    half
        `half_up` (towards the larger number) or `half_even`.

    Raises
    ------
    MoneyError
        If a result does not fit into 64 bits.

    Examples
    --------
    >>> third = lambda a, b: ([a, b], 3 * (b * 0 + 1))
    >>> rounded(third, [np.array([10**17, 1]), np.array([1, 1])]).tolist()
    [33333333333333334, 1]
    """
    shape = np.broadcast_shapes(*(np.shape(argument) for argument in arguments))
    columns = [np.broadcast_to(np.asarray(argument, dtype=np.int64), shape) for argument in arguments]
    with np.errstate(over="ignore", invalid="ignore"):
        near_terms, near_over = formula(*(column.astype(np.float64) for column in columns))
        over_size = np.broadcast_to(np.asarray(near_over, dtype=np.float64), shape) * (2 * to)
        size = sum(np.abs(term) for term in near_terms)
        safe = (2 * size / over_size < _SAFE_QUOTIENT) & (over_size < _SAFE_DENOMINATOR)
        terms, over = formula(*columns)
        low = sum(terms) + np.zeros(shape, dtype=np.int64)
        over = np.broadcast_to(np.asarray(over, dtype=np.int64), shape) * to
        twice = np.where(safe, 2 * over, 2)
        guess = np.where(safe, np.floor((2 * sum(near_terms) + over_size / 2) / over_size), 0)
        whole = guess.astype(np.int64)
        rest = 2 * low + over - whole * twice
        step = rest // twice
        whole = whole + step
        if half == HALF_EVEN:
            whole -= ((rest == step * twice) & (whole % 2 == 1)).astype(np.int64)
    result = whole * to
    if not safe.all():
        result[~safe] = _of_any_size(formula, [column[~safe] for column in columns], half, to)
    return result


def _of_any_size(formula: Formula, columns: Sequence[Ints], half: str, to: int) -> Ints:
    objects = [column.astype(object) for column in columns]
    terms, over = formula(*objects)
    top = 2 * sum(terms) + np.zeros(len(objects[0]), dtype=object)
    bottom = np.broadcast_to(np.asarray(over, dtype=object), top.shape) * to
    whole = (top + bottom) // (2 * bottom)
    if half == HALF_EVEN:
        whole = whole - ((top + bottom == whole * 2 * bottom) & (whole % 2 == 1))
    whole = whole * to
    if len(whole) and max(abs(int(value)) for value in whole) > _LARGEST:
        raise MoneyError(
            "A payout does not fit into 64 bits.", where="payouts", remedy="Check quotas of a few cents."
        )
    exact: Ints = whole.astype(np.int64)
    return exact
