"""Duties: states change exactly on the due day, one answers for a step, and nobody is forgotten."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.goals.duties import ROLES, check_duties, names, task_states, tasks_by_person

DUE = dt.date(2026, 7, 3)
GOOD = {
    "step": "cascade",
    "responsible": "Ops",
    "accountable": "CRO",
    "consulted": "",
    "informed": "",
    "due": DUE,
    "done_when": "targets",
}
NEEDED = {"targets": "cascade"}


def frame(*changes: dict) -> pd.DataFrame:
    return pd.DataFrame([{**GOOD, **change} for change in changes])


def done(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["step", "done_at", "done_by"])


def state(day: dt.date, *proofs: tuple, **changes: object) -> pd.Series:
    return task_states(frame(changes), done(*proofs), as_of=day).iloc[0]


def failed(*changes: dict, needed: dict[str, str] = NEEDED) -> list[tuple[str, str]]:
    table = check_duties(frame(*changes), needed=needed)
    rows = table[~table["passed"]]
    return list(zip(rows["step"], rows["check"], strict=True))


@given(st.integers(-400, 400))
def test_a_step_is_due_up_to_its_day_and_late_from_the_next(days: int) -> None:
    row = state(DUE + dt.timedelta(days=days))
    assert row["state"] == ("late" if days > 0 else "due")
    assert row["days"] == -days


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-2, "due in 2 days"),
        (-1, "due in 1 day"),
        (0, "due today"),
        (1, "late by 1 day"),
        (9, "late by 9 days"),
    ],
)
def test_the_words_say_how_many_days(days: int, words: str) -> None:
    assert state(DUE + dt.timedelta(days=days))["when"] == words


def test_done_stays_done_however_late_it_is() -> None:
    proof = ("cascade", pd.Timestamp("2026-07-02 23:59:59"), "Ada")
    for day in (dt.date(2026, 7, 2), dt.date(2027, 1, 1)):
        row = state(day, proof)
        assert (row["state"], row["done_by"], row["done_at"]) == ("done", "Ada", proof[1])
        assert pd.isna(row["days"])


def test_what_was_done_later_is_not_done_yet() -> None:
    proof = ("cascade", pd.Timestamp("2026-07-05 00:00:01"), "Ada")
    row = state(dt.date(2026, 7, 4), proof)
    assert row["state"] == "late"
    assert pd.isna(row["done_at"])
    assert state(dt.date(2026, 7, 5), proof)["state"] == "done"


def test_a_step_without_a_day_is_neither_due_nor_late_and_stands_last() -> None:
    duties = frame({"step": "someday", "due": None}, {"step": "later", "due": DUE + dt.timedelta(days=1)}, {})
    table = task_states(duties, done(), as_of=DUE)
    assert table["step"].tolist() == ["cascade", "later", "someday"]
    assert table["state"].tolist() == ["due", "due", "no date"]


def test_a_good_step_has_nothing_wrong() -> None:
    assert failed({}) == []


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"accountable": ""}, "one accountable"),
        ({"accountable": "CRO + CFO"}, "one accountable"),
        ({"responsible": None}, "responsible"),
        ({"due": None}, "dated"),
    ],
)
def test_each_check_of_a_step_fails_on_its_own(change: dict, check: str) -> None:
    assert failed(change) == [("cascade", check)]


def test_several_may_do_it_but_one_answers() -> None:
    assert failed({"responsible": "Ops, Finance; HR / IT"}) == []
    assert names("Ops, Finance; HR / IT") == ["Ops", "Finance", "HR", "IT"]
    assert names("R&D and Sales") == ["R&D and Sales"]  # the name of one role
    assert names(None) == names("  ") == []


def test_a_step_that_is_missing_or_stands_twice_is_found() -> None:
    assert failed({}, needed={**NEEDED, "plan": "reconciliation"}) == [("reconciliation", "present")]
    assert failed({}, {}) == [("cascade", "once")]
    empty = check_duties(frame({}).head(0), needed=NEEDED)
    assert empty["detail"].tolist() == ["nobody is asked to do it"]


def test_who_answers_for_the_number_and_its_approval_gets_a_warning_and_no_finding() -> None:
    sign = {"step": "sign-off", "done_when": "sign-off"}
    table = check_duties(frame({}, sign), needed={})
    row = table[table["check"] == "four eyes"].iloc[0]
    assert (row["step"], row["severity"], row["passed"]) == ("sign-off", "warning", False)
    assert row["detail"] == "CRO also answers for 'cascade'"
    assert failed({}, {**sign, "accountable": "CEO"}, needed={}) == []
    assert set(table[table["check"] != "four eyes"]["severity"]) == {"finding"}


def test_everybody_finds_their_steps_and_what_is_open() -> None:
    duties = frame(
        {"consulted": "Finance"},
        {"step": "plan", "responsible": "Ops", "due": DUE + dt.timedelta(days=5), "informed": "Finance, HR"},
        {"step": "check", "responsible": "Finance", "accountable": "Ops", "due": DUE - dt.timedelta(days=9)},
    )
    tasks = task_states(duties, done(("cascade", pd.Timestamp("2026-07-01"), "Ada")), as_of=DUE)
    table = tasks_by_person(duties, tasks).set_index("person")
    assert list(table.index) == ["Ops", "CRO", "Finance", "HR"]
    assert table.loc["Ops", [*ROLES]].tolist() == ["cascade, plan", "check", "", ""]
    assert table.loc["Ops", ["open", "late", "next_due"]].tolist() == [2, 1, DUE - dt.timedelta(days=9)]
    assert table.loc["CRO", ["open", "late"]].tolist() == [1, 0]
    assert table.loc["Finance", ["consulted", "informed", "open"]].tolist() == ["cascade", "plan", 1]
    assert table.loc["HR", "open"] == 0
    assert pd.isna(table.loc["HR", "next_due"])
