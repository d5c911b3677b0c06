"""Awards: absolute rules with dates, told with their numbers, and not known where a number is missing."""

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import table

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PlanError, TableError
from spms_lib.incentives.recognition import award_rules_from_dict, awards

CLUB = {
    "award": "club", "kind": "club", "clause": "Recognition 2026, 3", "per": "quarter", "valid_from": "2026-01-01",
    "all": {"attainment": 1.15, "sales": 500_000, "tenure_months": 6, "compliant": True},
}  # fmt: skip
STREAK = CLUB | {"award": "steady", "kind": "streak", "measure": "attainment", "at_least": 1.0, "periods": 3}
del STREAK["all"]
FIRST = {k: v for k, v in STREAK.items() if k != "periods"} | {"award": "first", "kind": "first"}
IMPROVED = FIRST | {
    "award": "improved", "kind": "most_improved", "least_base": 0.5, "at_least": 0.2, "winners": 1, "ties": "shared",
}  # fmt: skip
SURE = {k: CLUB[k] for k in ("clause", "per", "valid_from")} | {
    "award": "sure", "kind": "calibration", "forecast": "forecast", "actual": "actual", "within": 0.1, "periods": 2,
}  # fmt: skip


def without(rule: dict, *names: str) -> dict:
    return {name: value for name, value in rule.items() if name not in names}


def long(text: str) -> pd.DataFrame:
    """A table of payee, period and measures; a dash is not known."""
    rows = table(text).melt(["payee", "period"], var_name="measure")
    return rows.assign(value=rows["value"].astype(float))


def given_to(
    rules: list[dict], measures: pd.DataFrame, as_of: str = "2027-12-31"
) -> list[tuple[str, str, str]]:
    """Who, when, and whether it was awarded."""
    found = awards(
        award_rules_from_dict(rules), measures, calendar=FiscalCalendar(), as_of=dt.date.fromisoformat(as_of)
    )
    return list(found[["payee", "period", "status"]].itertuples(index=False, name=None))


def test_the_club_takes_everybody_who_reaches_all_its_gates_and_nobody_else() -> None:
    rows = """
    payee period attainment sales  tenure_months compliant
    ada   2026Q1 1.15       500000 6             1
    ben   2026Q1 1.14       900000 60            1
    cyd   2026Q1 2.00       499999 60            1
    dan   2026Q1 1.50       900000 5             1
    eva   2026Q1 1.50       900000 60            0
    """
    assert given_to([CLUB], long(rows)) == [("ada", "2026Q1", "awarded")]


def test_what_is_not_known_is_listed_unless_a_known_gate_already_says_no() -> None:
    rows = """
    payee period attainment sales  tenure_months compliant
    ada   2026Q1 1.20       -      6             1
    ben   2026Q1 1.00       -      6             1
    cyd   2026Q1 -          -      -             0
    """
    assert given_to([CLUB], long(rows)) == [("ada", "2026Q1", "not known")]


def test_an_award_tells_its_numbers_its_clause_and_its_version() -> None:
    rows = "payee period attainment sales tenure_months compliant\nada 2026Q1 1.2 520000 24 1"
    found = awards(
        award_rules_from_dict([CLUB]), long(rows), calendar=FiscalCalendar(), as_of=dt.date(2026, 4, 1)
    )
    assert found.iloc[0].to_dict() == {
        "payee": "ada", "award": "club", "period": "2026Q1", "status": "awarded",
        "evidence": "attainment 1.2 (at least 1.15), sales 520,000 (at least 500,000), "
        "tenure_months 24 (at least 6), compliant 1 (at least 1)",
        "clause": "Recognition 2026, 3", "rule_version": "2026-01-01",
    }  # fmt: skip


def test_a_period_is_judged_by_the_version_of_its_last_day_and_not_before_it_is_over() -> None:
    old = without(CLUB, "all") | {"valid_to": "2026-06-29", "all": {"attainment": 1.0}}
    new = without(CLUB, "all") | {"valid_from": "2026-06-30", "all": {"attainment": 1.5}}
    rows = "\n".join(["payee period attainment", "ada 2025Q4 9", *(f"ada 2026Q{q} 1.2" for q in (1, 2, 3))])
    assert given_to([new, old], long(rows)) == [("ada", "2026Q1", "awarded")]
    assert given_to([old], long(rows), as_of="2026-03-30") == []
    assert given_to([old], long(rows), as_of="2026-03-31") == [("ada", "2026Q1", "awarded")]


def test_a_rule_sees_only_periods_of_its_own_length() -> None:
    rows = "payee period attainment\nada 2026Q1 0.9\nada 2026-02 3\nada FY2026 1.2"
    yearly = without(CLUB, "all") | {"per": "year", "all": {"attainment": 1.1}}
    assert given_to([yearly], long(rows)) == [("ada", "FY2026", "awarded")]


def test_three_quarters_in_a_row_make_a_streak_and_a_gap_leaves_it_open() -> None:
    rows = """
    payee period attainment
    ada   2026Q1 1.0
    ada   2026Q2 1.1
    ada   2026Q3 1.2
    ada   2026Q4 0.9
    ben   2026Q1 1.0
    ben   2026Q3 1.2
    ben   2026Q4 -
    cyd   2026Q2 1.0
    cyd   2026Q3 1.0
    """
    assert given_to([STREAK], long(rows)) == [
        ("ada", "2026Q3", "awarded"),
        ("ben", "2026Q3", "not known"),  # nobody said what the second quarter was
        ("ben", "2026Q4", "not known"),
    ]  # cyd has been here for two quarters only


@settings(max_examples=25)
@given(st.lists(st.sampled_from([0.5, 1.0, 2.0, None]), min_size=1, max_size=10), st.integers(1, 4))
def test_a_streak_is_what_any_filling_of_the_gaps_agrees_on(values: list[float | None], n: int) -> None:
    periods = FiscalCalendar().range("2026-01", "2026-12")[: len(values)]
    rows = pd.DataFrame({"payee": "ada", "period": periods, "measure": "attainment", "value": values})
    rule = STREAK | {"per": "month", "periods": n}
    told = {period: status for _, period, status in given_to([rule], rows.astype({"value": float}))}
    for end, period in enumerate(periods, start=1):
        if end < n:
            assert period not in told
            continue
        options = itertools.product(*([v] if v is not None else [0.0, 9.0] for v in values[end - n : end]))
        truths = {all(v >= 1.0 for v in option) for option in options}
        assert told.get(period) == (
            "awarded" if truths == {True} else "not known" if True in truths else None
        )


def test_the_first_deal_is_the_first_only_once_and_only_if_the_past_is_known() -> None:
    rows = """
    payee period attainment
    ada   2026Q1 0
    ada   2026Q2 2
    ada   2026Q3 3
    ben   2026Q1 -
    ben   2026Q2 1
    ben   2026Q3 1
    """
    told = given_to([FIRST], long(rows))
    assert told == [
        ("ben", "2026Q1", "not known"),
        ("ada", "2026Q2", "awarded"),
        ("ben", "2026Q2", "not known"),
    ]


IMPROVERS = """
payee period attainment sales
ada   2026Q1 0.8        1
ada   2026Q2 1.2        5
ben   2026Q1 0.6        1
ben   2026Q2 1.0        7
cyd   2026Q1 0.1        1
cyd   2026Q2 2.0        9
dan   2026Q1 1.0        1
dan   2026Q2 1.2        9
eva   2026Q2 3.0        9
"""


@pytest.mark.parametrize(
    ("change", "winners"),
    [
        ({}, ["ada", "ben"]),  # 40 points each: a declared tie; cyd's base is too small, eva has none
        ({"ties": "second", "second": "sales"}, ["ben"]),
        ({"winners": 3}, ["ada", "ben", "dan"]),  # 1.2 - 1.0 is 0.2, whatever binary fractions say
        ({"winners": 3, "at_least": 0.3}, ["ada", "ben"]),
    ],
)
def test_most_improved_is_against_the_own_past_with_ties_as_declared(
    change: dict, winners: list[str]
) -> None:
    assert [who for who, *_ in given_to([IMPROVED | change], long(IMPROVERS))] == winners


def test_a_calibrated_forecaster_is_near_in_every_period_and_covers_as_stated() -> None:
    rows = """
    payee period forecast actual low high
    ada   2026Q1 110      100    90  105
    ada   2026Q2 95       100    90  120
    ben   2026Q1 100      100    90  110
    ben   2026Q2 111      100    90  120
    cyd   2026Q1 100      100    105 110
    cyd   2026Q2 100      100    105 120
    dan   2026Q1 0        0      -   1
    dan   2026Q2 100      100    90  120
    """
    near = [("ada", "2026Q2", "awarded"), ("cyd", "2026Q2", "awarded"), ("dan", "2026Q2", "awarded")]
    assert given_to([SURE], long(rows)) == near
    covered = SURE | {"low": "low", "high": "high", "coverage_at_least": 1.0}
    assert given_to([covered], long(rows)) == [("ada", "2026Q2", "awarded"), ("dan", "2026Q2", "not known")]


@settings(max_examples=25)
@given(st.permutations(range(9)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    rows = long(IMPROVERS)
    whole = [i + block for block in (0, 9) for i in order]
    assert given_to([IMPROVED, STREAK, FIRST], rows.iloc[whole]) == given_to([IMPROVED, STREAK, FIRST], rows)


def test_a_measure_that_is_there_twice_is_refused() -> None:
    rows = long("payee period attainment\nada 2026Q1 1\nada 2026Q1 2")
    with pytest.raises(TableError, match="ada has 'attainment' twice in 2026Q1"):
        given_to([STREAK], rows)


def test_nothing_measured_nothing_awarded() -> None:
    empty = long("payee period attainment\nada 2026Q1 1").iloc[:0]
    assert given_to([CLUB, STREAK, FIRST, IMPROVED, SURE], empty) == []
    unknown = long("payee period attainment\nada 2026Q1 1").assign(value=np.nan)
    assert given_to([STREAK | {"periods": 1}], unknown) == [("ada", "2026Q1", "not known")]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([CLUB | {"clauze": "3"}], r"Did you mean 'clause'\?"),
        ([CLUB | {"kind": "streek"}], r"Did you mean 'streak'\?"),
        ([STREAK | {"all": {}}], "'all' is no name"),  # known elsewhere, foreign to a streak
        ([without(CLUB, "clause")], "clause is missing"),
        ([CLUB | {"all": {}}], "No measure is asked for"),
        ([CLUB | {"all": {"sales": "much"}}], "'much' is not a number"),
        ([CLUB | {"all": {"sales": float("nan")}}], "nan is not a number"),
        ([CLUB | {"per": "weeks"}], "Known: month, quarter, year"),
        ([CLUB | {"valid_from": "soon"}], "'soon' is not a day"),
        ([CLUB | {"valid_to": "2025-01-01"}], "before it starts"),
        ([STREAK | {"periods": 2.5}], "2.5 is no count"),
        ([STREAK | {"periods": 0}], "0 is no count"),
        ([without(IMPROVED, "ties")], "Declare ties: shared"),
        ([IMPROVED | {"ties": "coin"}], "'coin' is no rule for ties"),
        ([IMPROVED | {"ties": "second"}], "second belong together with ties: second"),
        ([IMPROVED | {"second": "sales"}], "second belong together with ties: second"),
        ([SURE | {"low": "low"}], "low, high, coverage_at_least belong together"),
        (
            [CLUB, CLUB | {"valid_from": "2026-07-01"}],
            "Two versions hold on 2026-07-01.*valid_to: 2026-06-30",
        ),
        ([CLUB | {"valid_to": "2026-07-01"}, CLUB | {"valid_from": "2026-07-01"}], "Two versions hold"),
    ],
)
def test_a_rule_that_is_not_clear_is_refused_by_name(rules: list[dict], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        award_rules_from_dict(rules)


def test_versions_that_follow_each_other_are_taken() -> None:
    two = [CLUB | {"valid_to": "2026-06-30"}, CLUB | {"valid_from": dt.date(2026, 7, 1)}]
    assert [rule.valid_to for rule in award_rules_from_dict(two)] == [dt.date(2026, 6, 30), None]
