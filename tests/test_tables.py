"""The data contract: every row is used or has a finding, and missing stays missing in every shape."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import TableError
from spms_lib.findings import NOTED, findings, no_findings
from spms_lib.tables import TYPES, LoadedTable, schema, schemas, to_long, to_wide


def test_every_column_has_a_known_type_and_a_description() -> None:
    for table in schemas().values():
        assert len(set(table.names)) == len(table.names)
        for column in table.columns:
            assert column.type in TYPES
            assert column.description
    assert schema("targets").required == ["node", "period", "value"]


def test_keys_are_never_optional_money() -> None:
    keys = [column for table in schemas().values() for column in table.columns if column.key]
    assert not [column.name for column in keys if column.type == "money"]


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TableError, match=r"no table named 'sales'.*transactions"):
        schema("sales")


def test_a_table_that_loses_a_row_is_refused() -> None:
    rows = pd.DataFrame({"node": ["a", "b"]}, index=[1, 2])
    lost = findings("actuals", [3], "node", "required value is missing", [""], "Fill it in.")
    assert LoadedTable("actuals", rows, lost, 3, "actuals.csv").rejected == 1
    for found, rows_in in ((no_findings(), 3), (lost, 2), (lost.assign(severity=NOTED), 3)):
        with pytest.raises(TableError, match="every row must be used or have a finding"):
            LoadedTable("actuals", rows, found, rows_in, "actuals.csv")


cells = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["2026-01", "2026-02"])),
    st.one_of(st.none(), st.integers(-100, 100)),
)


@given(cells)
def test_long_to_wide_and_back_keeps_every_word_and_invents_none(words: dict) -> None:
    rows = pd.DataFrame(
        [(node, period, value) for (node, period), value in words.items()],
        columns=["node", "period", "value"],
    ).astype({"value": "float64"})
    said = {key: value for key, value in words.items() if value is not None}
    back = to_long(to_wide(rows))
    assert back.set_index(["node", "period"])["value"].to_dict() == said


def test_a_missing_value_is_not_zero_and_repeated_rows_are_added() -> None:
    rows = pd.DataFrame(
        [("a", "2026-01", None), ("b", "2026-01", 5), ("b", "2026-01", 7), ("a", "2026-02", 0)],
        columns=["node", "period", "value"],
    ).astype({"value": "Int64"})
    wide = to_wide(rows)
    assert pd.isna(wide.loc["a", "2026-01"])
    assert wide.loc["b", "2026-01"] == 12
    assert wide.loc["a", "2026-02"] == 0


def test_months_stand_in_order_of_time() -> None:
    rows = pd.DataFrame({"node": "a", "period": ["2026-10", "2025-12", "2026-02"], "value": [1, 2, 3]})
    assert to_wide(rows).columns.tolist() == ["2025-12", "2026-02", "2026-10"]
