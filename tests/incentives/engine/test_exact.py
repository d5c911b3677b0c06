"""Rounded quotients equal those of exact fractions, whatever their size."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import MoneyError
from spms_lib.incentives.engine.exact import rounded
from spms_lib.incentives.plan.model import HALF_EVEN, HALF_UP

amounts = st.integers(-(10**14), 10**14)


def pay(x, quota, money, factor):  # money * (factor * x - 3 * quota) / (7 * quota)
    return [money * factor * x, -3 * money * quota], 7 * quota


@given(
    rows=st.lists(
        st.tuples(amounts, st.integers(1, 10**12), st.integers(0, 10**10), st.integers(-(10**4), 10**4)),
        min_size=1,
        max_size=20,
    ),
    to=st.sampled_from([1, 5, 100]),
    half=st.sampled_from([HALF_UP, HALF_EVEN]),
)
def test_every_row_is_rounded_as_a_fraction_is(rows, to, half):
    x, quota, money, factor = (np.array(column) for column in zip(*rows, strict=True))
    exact = [Fraction(m * f * one - 3 * m * q, 7 * q) / to for one, q, m, f in rows]
    expected = [round(value) if half == HALF_EVEN else floor(value + Fraction(1, 2)) for value in exact]
    if max(abs(value) * to for value in expected) >= 2**63:
        with pytest.raises(MoneyError):
            rounded(pay, [x, quota, money, factor], half=half, to=to)
        return
    assert rounded(pay, [x, quota, money, factor], half=half, to=to).tolist() == [v * to for v in expected]


def test_halves_go_up_or_to_the_even_neighbour():
    half = [np.array([-3, -1, 1, 3, 5])]
    assert rounded(lambda a: ([a], a * 0 + 2), half).tolist() == [-1, 0, 1, 2, 3]
    assert rounded(lambda a: ([a], a * 0 + 2), half, half=HALF_EVEN).tolist() == [-2, 0, 0, 2, 2]


def test_a_result_beyond_64_bits_is_refused():
    with pytest.raises(MoneyError, match="64 bits"):
        rounded(lambda a: ([a * a * a], a * 0 + 1), [np.array([10**10])])
