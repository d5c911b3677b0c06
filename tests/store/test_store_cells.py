"""Which cells the ledger takes, and in whose words it refuses the others."""

import numpy as np
import pandas as pd
import pytest

from spms_lib.errors import IntegrityError, LedgerError
from spms_lib.store.cells import checked, frame_of, rows_of

BIG = 2**62 + 1  # a float would lose the last cent


def frame(values, **more):
    count = len(values)
    plain = {
        "node": [f"n{row}" for row in range(count)],
        "period": "2026-01",
        "measure": "revenue",
        "value": values,
    }
    return pd.DataFrame({**plain, **more})


@pytest.mark.parametrize(
    "values",
    [
        pd.array([BIG, None], dtype="Int64"),
        pd.Series([BIG, None], dtype=object),
    ],
)
def test_large_amounts_next_to_nulls_keep_their_last_cent(values):
    assert checked(frame(values))["value"].tolist() == [BIG, pd.NA]


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        (np.array([1.0, np.nan]), [1, pd.NA]),  # what pandas makes of integers with a gap
        (np.array([1, 2], dtype="uint8"), [1, 2]),
        (np.array([1, 2], dtype="int32"), [1, 2]),
        ([None, None], [pd.NA, pd.NA]),
    ],
)
def test_whole_numbers_are_taken_in_whatever_type_they_come(values, whole):
    assert checked(frame(values))["value"].tolist() == whole


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.5],
        [1, "2"],
        [1, np.inf],
        [0, 2**63],
        [0.0, 2.0**60],
        [0, True],
        [pd.Timestamp("2026-01-01")],
        [True, False],
    ],
)
def test_values_that_are_not_whole_minor_units_are_refused(values):
    with pytest.raises(LedgerError, match=r"not a whole number \(row .*\)\. Commit whole minor units"):
        checked(frame(pd.Series(values)))


def test_a_refusal_names_the_rows():
    with pytest.raises(LedgerError, match=r"\(row 1, 2, 3, 4, 5 and 2 more\)"):
        checked(frame([0.5] * 7))


def test_a_cell_given_twice_is_refused_by_name():
    twice = frame([1, 2], node="north", item="commit")
    with pytest.raises(
        LedgerError, match=r"1 cell is given more than once, such as north 2026-01 revenue commit"
    ):
        checked(twice)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"node": ["a", None]}, r"Column node is empty \(row 2\)"),
        ({"node": ["a", ""]}, r"Column node is empty \(row 2\)"),
        ({"period": ["2026-01", np.nan]}, r"Column period is empty \(row 2\)"),
        ({"node": [1, 2]}, r"Column node holds 1, which is not text \(row 1, 2\)"),
        ({"text": ["a", {"b": 1}]}, r"Column text holds \{'b': 1\}, which is not text \(row 2\)"),
        ({"withdrawn": [True, None]}, r"withdrawn is neither true nor false \(row 2\)"),
        ({"share": [0.5, 0.5]}, r"unknown columns share\. Keep only node, period, "),
    ],
)
def test_cells_that_cannot_be_right_are_refused(change, message):
    with pytest.raises(LedgerError, match=message):
        checked(frame([1, 2]).assign(**change))


def test_missing_columns_are_named():
    with pytest.raises(LedgerError, match="no column measure, value"):
        checked(pd.DataFrame({"node": ["a"], "period": ["2026-01"]}))


def test_keys_may_be_categories():
    given = frame([1, 2]).astype({"node": "category", "period": "category"})
    assert checked(given)["node"].tolist() == ["n0", "n1"]


def test_a_withdrawn_cell_carries_nothing():
    got = checked(frame([5, 6], unit="EUR", text="why", withdrawn=[True, False]))
    assert rows_of(got, ["value", "unit", "text"]) == [(None, "", None), (6, "EUR", "why")]


def test_rows_are_plain_python_values():
    row = rows_of(checked(frame([5])), ["node", "value", "text"])[0]
    assert [type(value) for value in row] == [str, int, type(None)]


def test_a_row_that_the_ledger_never_wrote_is_named_as_damage():
    with pytest.raises(IntegrityError, match=r"never wrote .*verify\(\)"):
        frame_of([("a", "many")], ["node", "value"])
