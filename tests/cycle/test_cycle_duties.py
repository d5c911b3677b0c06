"""Duties of a cycle: done is what the ledger held on that day, and nothing that came later."""

import datetime as dt
import typing

import pandas as pd
import pytest

from spms_lib.cycle.collection.freeze import freeze
from spms_lib.cycle.duties import (
    NEEDED,
    approve_step,
    day_of_look,
    duties_by_person,
    duty_checks,
    duty_sentences,
    duty_states,
    duty_table,
)
from spms_lib.cycle.layers import commit_layers, company_layers
from spms_lib.cycle.planning import publish_plan
from spms_lib.errors import ParamsError
from spms_lib.params.goals import FULFILLED_BY, DoneWhen, Duty
from spms_lib.store.schema import KINDS

from firms import QUARTER, make_plan, set_goals, submissions  # isort: skip

STEPS = (
    "company target",
    "approach",
    "cascade",
    "submissions",
    "reconciliation",
    "sign-off",
    "cost check",
    "review",
)
DUE = dt.date(2026, 4, 15)
TODAY = dt.datetime.now(dt.UTC).date()


def duty(step: str, **more: object) -> dict:
    return {"step": step, "responsible": "Ops", "accountable": "Ada", "due": DUE, **more}


@pytest.fixture
def desk(opened):
    return opened(cycle={"duties": [duty(step) for step in STEPS]})


def done(desk, day: dt.date = TODAY) -> set[str]:
    states = duty_states(desk, as_of=day)
    return set(states[states["state"] == "done"]["step"])


def test_a_cycle_starts_with_nothing_done_and_every_step_due_until_its_day(desk) -> None:
    assert done(desk, DUE) == set()
    for day, state in ((DUE, "due"), (DUE + dt.timedelta(days=1), "late")):
        assert set(duty_states(desk, as_of=day)["state"]) == {state}


def test_each_commit_fulfils_its_own_step_and_no_other(desk) -> None:
    commit_layers(desk, company_layers(desk, 200_000))
    assert done(desk) == {"company target"}
    set_goals(desk)
    assert done(desk) == {"company target", "cascade"}
    freeze(desk)
    assert done(desk) == {"company target", "cascade", "submissions"}
    publish_plan(desk, make_plan(desk)[0])
    assert done(desk) == {"company target", "cascade", "submissions", "reconciliation", "sign-off"}


def test_the_approach_is_a_note_of_its_own(desk) -> None:
    desk.ledger.commit("note", cell(desk, "2026Q2", "remark"), author="Ada", message="n")
    assert done(desk) == set()
    desk.ledger.commit("note", cell(desk, "2026Q2", "approach region"), author="Ada", message="n")
    assert done(desk) == {"approach"}


def test_an_approval_fulfils_the_step_that_it_names_and_says_who_and_when(desk) -> None:
    before = pd.Timestamp.now("UTC").tz_localize(None)
    assert approve_step(desk, "cost check", note="within budget") is not None
    assert approve_step(desk, "cost check", note="within budget") is None
    assert done(desk) == {"cost check"}
    row = duty_states(desk, as_of=TODAY).set_index("step").loc["cost check"]
    assert row["done_by"] == "Tester"
    assert before <= row["done_at"] <= pd.Timestamp.now("UTC").tz_localize(None)


def test_a_step_that_nobody_planned_cannot_be_approved(desk) -> None:
    with pytest.raises(ParamsError, match=r"no step 'party' in 2026Q2.*company target"):
        approve_step(desk, "party")


def cell(desk, period: str, item: str = "cost check") -> pd.DataFrame:
    return pd.DataFrame(
        {"node": [desk.tree.root], "period": period, "measure": "revenue", "item": item, "value": [1]}
    )


def test_a_look_into_the_past_does_not_see_what_was_committed_later(desk) -> None:
    at = dt.datetime(2026, 4, 10, 9)
    desk.ledger.commit("approval", cell(desk, "2026Q2"), author="Ada", message="ok", at=at)
    assert done(desk, dt.date(2026, 4, 9)) == set()
    assert done(desk, dt.date(2026, 4, 10)) == {"cost check"}
    row = duty_states(desk, as_of=dt.date(2026, 4, 10)).set_index("step").loc["cost check"]
    assert (row["done_at"], row["done_by"]) == (pd.Timestamp(at), "Ada")


def test_a_number_that_was_revised_later_was_there_before(desk) -> None:
    for day, value in ((10, 1), (20, 2)):
        said = cell(desk, "2026Q2").assign(value=value)
        desk.ledger.commit("approval", said, author="Ada", message="ok", at=dt.datetime(2026, 4, day, 9))
    for look, day in ((12, 10), (20, 20)):
        row = duty_states(desk, as_of=dt.date(2026, 4, look)).set_index("step").loc["cost check"]
        assert row["done_at"] == pd.Timestamp(2026, 4, day, 9)


def test_a_withdrawn_commit_fulfils_nothing_any_more(desk) -> None:
    first = desk.ledger.commit("approval", cell(desk, "2026Q2"), author="Ada", message="ok")
    desk.ledger.revert(first.id, author="Ada")
    assert done(desk) == set()


def test_another_quarters_commits_and_sign_offs_fulfil_nothing(desk) -> None:
    for period in ("2026Q1", "2026-03", "2026-07"):
        desk.ledger.commit("approval", cell(desk, period), author="Ada", message="ok")
    desk.ledger.sign_off("2026Q1 plan v1", kind="approval", author="Ada")
    assert done(desk) == set()
    desk.ledger.commit("approval", cell(desk, QUARTER[1]), author="Ada", message="ok")
    assert done(desk) == {"cost check"}


def test_a_sign_off_counts_from_its_day(desk) -> None:
    at = dt.datetime(2026, 4, 12, 18)
    desk.ledger.commit("note", cell(desk, "2026Q2", "a"), author="Ada", message="n", at=at)
    desk.ledger.sign_off("2026Q2 plan v1", kind="note", author="Ada", at=at)
    assert done(desk, dt.date(2026, 4, 11)) == set()
    assert done(desk, dt.date(2026, 4, 12)) == {"sign-off"}


def test_submissions_are_done_when_the_last_leaf_has_spoken(opened) -> None:
    said = submissions()
    dora = said[said["node"] == "carl"].assign(node="dora", submitted_by="Sven")
    late = dora["submitted_at"].str.startswith("2026-04")
    dora.loc[late, "submitted_at"] = "2026-04-11 08:00"
    some = opened(submissions=said, cycle={"duties": [duty("submissions")]})
    assert done(some, dt.date(2026, 4, 30)) == set()
    every = opened(submissions=pd.concat([said, dora]), cycle={"duties": [duty("submissions")]})
    assert done(every, dt.date(2026, 4, 10)) == set()
    row = duty_states(every, as_of=dt.date(2026, 4, 11)).iloc[0]
    assert (row["state"], row["done_at"]) == ("done", pd.Timestamp("2026-04-11 08:00"))


def test_a_step_may_state_what_fulfils_it_and_an_unknown_word_is_refused(opened) -> None:
    desk = opened(cycle={"duties": [duty("anything", done_when="hold")]})
    desk.ledger.commit("hold", cell(desk, "2026Q2", ""), author="Ada", message="h")
    assert done(desk) == {"anything"}
    with pytest.raises(ParamsError, match=r"duties.*done_when"):
        opened(cycle={"duties": [duty("anything", done_when="prayer")]})


def test_every_kind_of_commit_can_fulfil_a_step_and_every_default_is_known() -> None:
    words = set(typing.get_args(DoneWhen))
    assert words == {"", "layers", "approach", "sign-off", *KINDS}
    assert set(FULFILLED_BY.values()) <= words
    assert set(NEEDED) <= words
    assert all(FULFILLED_BY[step] == what for what, step in NEEDED.items())
    assert Duty(step=" Cascade ").fulfilled_by == "targets"
    assert Duty(step="tell the board").fulfilled_by == "approval"
    assert Duty(step="cascade", done_when="plan").fulfilled_by == "plan"


def test_a_cycle_without_duties_names_every_step_that_nobody_was_asked_to_do(acme) -> None:
    checks = duty_checks(acme)
    assert checks["step"].tolist() == list(NEEDED.values())
    assert not checks["passed"].any()
    tasks = duty_states(acme, as_of=DUE)
    assert tasks.empty
    assert duties_by_person(acme, tasks).empty
    assert duty_sentences(tasks, checks, as_of=DUE)[0] == "Nobody has been given a step of this cycle."


def test_a_duty_without_a_person_or_a_day_is_a_finding_and_no_refusal(opened) -> None:
    desk = opened(cycle={"duties": [{"step": "cascade"}]})
    checks = duty_checks(desk)
    mine = checks[checks["step"] == "cascade"].set_index("check")["passed"].to_dict()
    assert mine == {"one accountable": False, "responsible": False, "dated": False}
    assert duty_states(desk, as_of=DUE)["state"].tolist() == ["no date"]
    assert duty_table(desk)["done_when"].tolist() == ["targets"]


def test_the_sentences_name_what_is_late_and_what_comes_next(opened) -> None:
    desk = opened(
        cycle={
            "duties": [
                duty("cascade"),
                duty("reconciliation", due=DUE + dt.timedelta(days=5), responsible="Bea"),
            ]
        }
    )
    day = DUE + dt.timedelta(days=2)
    said = duty_sentences(duty_states(desk, as_of=day), duty_checks(desk), as_of=day)
    assert said[0] == "On 2026-04-17, **1** of 2 steps are late: cascade (late by 2 days)."
    assert said[1] == "Next is **reconciliation**, due in 3 days, by Bea."
    assert "submissions: nobody is asked to do it (finding)." in said
    people = duties_by_person(desk, duty_states(desk, as_of=day)).set_index("person")
    assert people.loc["Ada", "accountable"] == "cascade, reconciliation"
    assert people.loc["Ops", "late"] == 1


def test_the_day_of_the_look_is_the_plans_own_or_the_one_given_and_nothing_else(acme) -> None:
    assert day_of_look(acme, "") == acme.params.plan_as_of
    assert day_of_look(acme, "2026-04-17") == dt.date(2026, 4, 17)
    with pytest.raises(ParamsError, match="'tomorrow' is not a day"):
        day_of_look(acme, "tomorrow")
