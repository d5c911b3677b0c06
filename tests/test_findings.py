"""Findings: counted by row and by rule, never lost when put together."""

import pandas as pd

from spms_lib.findings import COLUMNS, NOTED, count_by_rule, findings, join, no_findings, rejected_rows

WRONG = findings("actuals", [3, 7], "value", "not a number", ["n/a", None], "Type a number.")
LATE = findings("actuals", [3, 9], "date", "late", ["x", "y"], "Send it earlier.")
ODD = findings("targets", [3], "value", "unusual", [5], "Check it.", severity=NOTED)


def test_a_finding_says_where_what_and_what_to_do() -> None:
    assert WRONG.iloc[0].to_dict() == {
        "table": "actuals", "row": 3, "column": "value", "rule": "not a number", "severity": "rejected",
        "value": "n/a", "remedy": "Type a number.",
    }  # fmt: skip
    assert WRONG["value"].tolist() == ["n/a", ""]


def test_a_row_that_breaks_two_rules_is_left_out_once() -> None:
    assert rejected_rows(join(WRONG, LATE, ODD)) == 3
    assert rejected_rows(ODD) == 0
    same_row_elsewhere = findings("targets", [3], "value", "not a number", ["?"], "Type a number.")
    assert rejected_rows(join(WRONG, same_row_elsewhere)) == 3


def test_joining_keeps_every_finding_in_order_and_nothing_is_nothing() -> None:
    assert len(join(WRONG, no_findings(), LATE)) == 4
    assert join(WRONG, LATE)["rule"].tolist() == ["not a number"] * 2 + ["late"] * 2
    for empty in (join(), join(no_findings()), findings("actuals", [], "value", "r", [], "m")):
        assert list(empty.columns) == list(COLUMNS)
        assert empty.empty
        assert empty["row"].dtype == "int64"


def test_rules_are_counted_most_frequent_first_with_an_example() -> None:
    more = findings("targets", [1, 2, 4], "value", "unusual", [7, 8, 9], "Check it.", severity=NOTED)
    counted = count_by_rule(join(WRONG, LATE, ODD, more))
    assert counted[["rule", "count", "example"]].values.tolist() == [
        ["unusual", 4, "5"], ["late", 2, "x"], ["not a number", 2, "n/a"],
    ]  # fmt: skip
    assert counted["count"].sum() == 8


def test_counting_nothing_gives_an_empty_table() -> None:
    counted = count_by_rule(no_findings())
    assert counted.empty
    assert {"rule", "count", "remedy"} <= set(counted.columns)


def test_values_of_any_kind_are_kept_as_text() -> None:
    rows = findings(
        "actuals", pd.Series([1, 2]), "value", "r", pd.Series([1.5, pd.Timestamp(2026, 1, 1)]), "m"
    )
    assert rows["value"].tolist() == ["1.5", "2026-01-01 00:00:00"]
