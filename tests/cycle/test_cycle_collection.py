"""The collection in the ledger: nothing said is lost, nothing late leaks in, and every snapshot stands as signed."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.collect.form import Answer, Form
from spms_lib.cycle import planning
from spms_lib.cycle.collection import process as collection
from spms_lib.cycle.collection.heard import overrides_heard, submissions_heard
from spms_lib.cycle.collection.tables import frozen_as_heard, open_notes, unexplained
from spms_lib.errors import LedgerError
from spms_lib.findings import no_findings

from firms import make_plan, roster, set_goals, submissions  # isort: skip

CUT_OFF = dt.date(2026, 4, 10)
NONE = pd.DataFrame()


def answer(
    person: str = "Anna", *, submissions=NONE, overrides=NONE, notes=NONE, origin: str = "grid"
) -> Answer:
    """An answer as a page or the notebook's grid builds it: from plain frames."""
    return Answer("", person, origin, submissions, overrides, notes, no_findings())


def word(
    value: int, node: str = "anna", month: str = "2026-04", at: str = "2026-04-09 10:00", **more
) -> pd.DataFrame:
    row = {
        "node": node,
        "period": month,
        "category": "commit",
        "value": value,
        "submitted_at": pd.Timestamp(at),
    }
    return pd.DataFrame([row | more])


def change(
    value: int | None, node: str = "north", at: str = "2026-04-09 12:00", by: str = "Nina"
) -> pd.DataFrame:
    row = {"node": node, "period": "2026-04", "category": "commit", "value": value, "reason": "tender won"}
    when = {"overridden_by": by, "overridden_at": pd.Timestamp(at)}
    return pd.DataFrame([row | when]).astype({"value": "Int64"})


def said(desk, node: str = "anna", month: str = "2026-04", **options) -> int | None:
    rows = collection.field_submissions(desk, **options)
    mine = rows[(rows["node"] == node) & (rows["period"] == month) & (rows["category"] == "commit")]
    return int(mine["value"].iloc[0]) if len(mine) else None


def record(desk, one: Answer, **options) -> collection.Recorded:
    return collection.record_answer(desk, one, author="Ops", **options)


# -- routes --------------------------------------------------------------------------------------


def test_the_drop_is_entered_once_word_by_word_and_nothing_changes_what_was_heard(opened) -> None:
    first = submissions()
    again = first[(first["node"] == "anna") & (first["period"] == "2026-04")].assign(
        value=777, submitted_at="2026-04-09 08:00"
    )
    desk = opened(submissions=pd.concat([first, again]))
    before = collection.field_submissions(desk)
    done = collection.read_drop(desk)
    assert [commit.cells for commit in done.commits] == [18, 2], "first words, then second words"
    after = collection.field_submissions(desk)
    pd.testing.assert_frame_equal(before.drop(columns="commit"), after.drop(columns="commit"))
    assert after["commit"].notna().all()
    assert (
        said(desk),
        int(after.set_index(["node", "period", "category"]).loc[("anna", "2026-04", "commit"), "version"]),
    ) == (77_700, 2)
    assert collection.read_drop(desk).commits == ()
    assert len(submissions_heard(desk)) == len(first) + len(again), "the past comes from the table"


def test_an_answer_from_a_plain_frame_replaces_the_word_and_keeps_the_earlier_one(opened) -> None:
    desk = opened()
    collection.read_drop(desk)
    old = said(desk)
    done = record(desk, answer(submissions=word(12_345)))
    assert (len(done.commits), len(done.findings), said(desk)) == (1, 0, 12_345)
    heard = collection.submissions_of_cycle(desk).query(
        "node == 'anna' and period == '2026-04' and category == 'commit'"
    )
    assert heard["value"].tolist() == [old, 12_345]
    assert heard[["submitted_by", "route", "origin"]].to_numpy().tolist()[-1] == ["Anna", "form", "grid"]
    assert said(desk, as_of=dt.date(2026, 4, 8)) == old


def test_the_same_answer_again_commits_nothing_even_later_and_from_another_file(opened) -> None:
    desk = opened()
    record(desk, answer(submissions=word(12_345)))
    head = desk.ledger.head()
    assert record(desk, answer(submissions=word(12_345))).commits == ()
    assert (
        record(desk, answer(submissions=word(12_345, at="2026-04-10 08:00"), origin="b.xlsx")).commits == ()
    )
    record(desk, answer(submissions=word(1, at="2026-04-10 09:00")))
    assert record(desk, answer(submissions=word(12_345))).commits == (), (
        "an old file that is read again is no new word"
    )
    assert said(desk) == 1
    assert desk.ledger.head() != head


def test_a_row_of_the_file_that_came_by_a_form_as_well_is_heard_once(opened) -> None:
    rows = submissions()
    both = rows[(rows["node"] == "anna") & (rows["period"] == "2026-04") & (rows["category"] == "commit")]
    desk = opened()
    given = word(round(float(both["value"].iloc[0]) * 100), at=str(both["submitted_at"].iloc[0]))
    record(desk, answer(submissions=given))
    heard = collection.submissions_of_cycle(desk)
    assert not heard.duplicated(["node", "period", "category", "submitted_at"]).any()
    assert sum(commit.cells for commit in collection.read_drop(desk).commits) == 17


def test_without_a_time_of_its_own_a_word_was_said_when_it_came(opened) -> None:
    desk = opened()
    record(
        desk, answer(submissions=word(5).drop(columns="submitted_at")), at=dt.datetime(2026, 4, 9, 8, 30, 1)
    )
    assert collection.submissions_of_cycle(desk)["submitted_at"].max() == pd.Timestamp("2026-04-09 08:30:01")


# -- who may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        (word(1, node="ben"), "may not speak"),
        (word(1, node="north"), "no leaf"),
        (word(1, node="zoe"), "no leaf"),
        (word(1, month="2026-07"), "no month of this quarter"),
        (word(1).assign(category="gut feeling"), "no category"),
        (word(1).assign(value=pd.array([None], "Int64")), "no amount"),
    ],
)
def test_what_cannot_be_kept_is_told_with_its_row_and_the_rest_is_kept(opened, rows, rule) -> None:
    desk = opened()
    done = record(desk, answer(submissions=pd.concat([word(12_345, month="2026-05"), rows])))
    assert said(desk, month="2026-05") == 12_345
    assert len(done.findings) == 1
    found = done.findings.iloc[0]
    assert (found["row"], found["table"], found["severity"]) == (2, "grid", "rejected")
    assert rule in found["rule"]
    assert found["remedy"]
    with pytest.raises(collection.AnswerRefusedError, match=rule):
        record(desk, answer(submissions=rows), strict=True)


def test_rows_of_the_file_by_somebody_else_are_told_and_count_nowhere(opened) -> None:
    rows = submissions()
    mine = (rows["node"] == "anna") & (rows["period"] == "2026-04")
    rows.loc[mine, "submitted_by"] = "Carl"
    desk = opened(submissions=rows)
    assert said(desk) is None, "before it is read in"
    done = collection.read_drop(desk)
    assert done.findings["rule"].unique().tolist() == ["may not speak for this node on this day"]
    assert (len(done.findings), said(desk)) == (2, None)


def test_the_manager_speaks_for_an_empty_seat_and_a_delegate_for_the_manager(opened) -> None:
    leave = {
        "person": "Sven",
        "delegate": "Zoe",
        "first_day": CUT_OFF,
        "last_day": CUT_OFF,
        "reason": "leave",
    }
    desk = opened(cycle={"collection": {"delegations": [leave]}})
    record(desk, answer("Sven", submissions=word(100, node="dora")))
    assert said(desk, "dora") == 100
    record(desk, answer("Zoe", submissions=word(200, node="dora", at="2026-04-10 09:00")))
    assert said(desk, "dora") == 200
    assert len(record(desk, answer("Zoe", submissions=word(300, node="dora"))).findings) == 1, (
        "a day too early"
    )


def test_an_override_needs_a_reason_and_the_right_person(opened) -> None:
    desk = opened()
    silent = change(1).assign(reason="  ")
    for rows, rule in (
        (silent, "no reason"),
        (change(1, by="Sven"), "may not override"),
        (change(1, node="anna", by="Ada"), "may not"),
    ):
        done = record(desk, answer("Nina", overrides=rows))
        assert (len(done.commits), len(done.findings)) == (0, 1)
        assert rule in done.findings["rule"].iloc[0]
    skip = opened(cycle={"collection": {"skip_level": True}})
    assert len(record(skip, answer("Ada", overrides=change(1, node="anna", by="Ada"))).commits) == 1


# -- late ------------------------------------------------------------------------------------------


def test_a_late_word_is_kept_told_and_counts_in_a_later_snapshot_only(opened) -> None:
    desk = opened()
    collection.read_drop(desk)
    old = said(desk)
    done = record(desk, answer(submissions=word(12_345, at="2026-04-11 00:00")))
    assert done.findings["rule"].tolist() == ["sent after the cut-off"]
    name = collection.freeze(desk)
    assert said(desk) == old
    assert frozen_as_heard(desk, name)
    later = collection.freeze(desk, as_of=dt.date(2026, 4, 11))
    held = collection.frozen(desk, later).submissions
    assert held.loc[(held["node"] == "anna") & (held["period"] == "2026-04"), "value"].max() == 12_345
    assert collection.freeze(desk) == name, "the cut-off's snapshot is as it was"
    assert desk.ledger.verify().empty


# -- snapshots -------------------------------------------------------------------------------------


def frozen_value(desk, name: str, node: str = "anna") -> int | None:
    rows = collection.frozen(desk, name).submissions
    mine = rows[(rows["node"] == node) & (rows["period"] == "2026-04") & (rows["category"] == "commit")]
    return int(mine["value"].iloc[0]) if len(mine) else None


def test_freeze_override_freeze_again_and_revert_each_state_stands_as_signed(opened) -> None:
    desk = opened()
    collection.read_drop(desk)
    first = collection.freeze(desk)
    assert first == "2026Q2 submissions 2026-04-10 v1"
    north = (
        collection.overridden(desk)
        .set_index(["node", "period", "category"])
        .loc[("north", "2026-04", "commit")]
    )
    made = record(desk, answer("Nina", overrides=change(99_999))).commits[0]
    second = collection.freeze(desk)
    assert second == "2026Q2 submissions 2026-04-10 v2"
    changed = (
        collection.overridden(desk)
        .set_index(["node", "period", "category"])
        .loc[("north", "2026-04", "commit")]
    )
    assert (changed["value"], changed["said"], changed["how"]) == (99_999, north["said"], "direct")
    undone = collection.revert(desk, made.id[:8], author="Ops", reason="meant for the south")
    assert undone.message == f"Reverts {made.id[:8]}: meant for the south"
    assert overrides_heard(desk).empty
    third = collection.freeze(desk)
    assert third == "2026Q2 submissions 2026-04-10 v3"
    assert [len(collection.frozen(desk, name).overrides) for name in (first, second, third)] == [0, 1, 0]
    whole = [collection.frozen(desk, name).submissions for name in (first, second, third)]
    pd.testing.assert_frame_equal(whole[0], whole[1])
    pd.testing.assert_frame_equal(whole[0], whole[2])
    log = collection.collection_log(desk)
    assert log["kind"].tolist() == [
        "submission",
        "submission",
        "override",
        "override",
        "override",
        "override",
    ]
    signed = log["signed"].tolist()
    assert signed == ["", first, "", f"2026Q2 overrides 2026-04-10 v2, {second}", "", third]
    assert desk.ledger.verify().empty


def test_a_reverted_word_leaves_the_one_before_and_never_comes_back_from_the_file(opened) -> None:
    desk = opened()
    collection.read_drop(desk)
    old = said(desk)
    made = record(desk, answer(submissions=word(12_345))).commits[0]
    collection.revert(desk, made.id, author="Ops", reason="wrong seat")
    assert said(desk) == old
    drop = desk.ledger.log(kind="submission")["id"].iloc[-1]
    collection.revert(desk, drop, author="Ops", reason="wrong file")
    assert said(desk) is None
    assert collection.read_drop(desk).commits == ()
    assert said(desk) is None
    record(desk, answer(submissions=word(7, at="2026-04-10 10:00")))
    assert said(desk) == 7


def test_a_revert_of_a_revert_counts_again(opened) -> None:
    desk = opened()
    first = record(desk, answer(submissions=word(1))).commits[0]
    back = collection.revert(desk, first.id, author="Ops", reason="wrong")
    assert said(desk) != 1
    collection.revert(desk, back.id, author="Ops", reason="it was right")
    assert said(desk) == 1


@pytest.mark.parametrize(("commit", "reason"), [("feed", "why"), ("own", " "), ("targets", "why")])
def test_a_revert_needs_a_reason_and_a_commit_of_the_collection(opened, commit, reason) -> None:
    desk = opened()
    made = record(desk, answer(submissions=word(1))).commits[0]
    if commit == "targets":
        set_goals(desk)
        made = desk.ledger.log(kind="targets").iloc[0]
    with pytest.raises(LedgerError, match=r"reason|names no commit"):
        collection.revert(desk, "feed0000" if commit == "feed" else made.id, author="Ops", reason=reason)


def test_an_override_taken_back_is_a_word_with_a_day_and_the_past_keeps_it(opened) -> None:
    desk = opened()
    record(desk, answer("Nina", overrides=change(99_999, at="2026-04-08 12:00")))
    record(desk, answer("Nina", overrides=change(None, at="2026-04-10 12:00")))
    how = collection.overridden(desk).set_index(["node", "period", "category"])["how"]
    assert how[("north", "2026-04", "commit")] == "calculated"
    then = collection.overridden(desk, as_of=dt.date(2026, 4, 9)).set_index(["node", "period", "category"])
    assert then.loc[("north", "2026-04", "commit"), "value"] == 99_999


def test_every_call_is_a_snapshot_and_freezing_them_again_leaks_nothing(opened) -> None:
    desk = opened(cycle={"collection": {"call_weekday": "monday"}})
    days = collection.call_days(desk)
    assert (days[0], days[-1], len(days)) == (dt.date(2026, 4, 6), dt.date(2026, 6, 29), 13)
    collection.read_drop(desk)
    record(desk, answer(submissions=word(1, at="2026-04-20 09:00")))
    record(desk, answer(submissions=word(2, at="2026-04-21 09:00")))
    names = collection.freeze_calls(desk, until=dt.date(2026, 4, 27))
    assert [name[-13:-3] for name in names] == ["2026-04-13", "2026-04-20", "2026-04-27"], (
        "nobody had spoken on the sixth"
    )
    assert [frozen_value(desk, name) for name in names][1:] == [1, 2]
    head = desk.ledger.head("2026Q2 frozen")
    assert collection.freeze_calls(desk, until=dt.date(2026, 4, 27)) == names
    assert desk.ledger.head("2026Q2 frozen") == head
    record(desk, answer(submissions=word(3, at="2026-04-14 09:00")))  # came late, was said early
    assert [name[-2:] for name in collection.freeze_calls(desk, until=dt.date(2026, 4, 27))] == [
        "v1",
        "v1",
        "v1",
    ]
    record(desk, answer("Ben", submissions=word(4, node="ben", at="2026-04-19 09:00")))
    again = collection.freeze_calls(desk, until=dt.date(2026, 4, 27))
    assert [name[-2:] for name in again] == ["v1", "v2", "v2"]
    assert [frozen_value(desk, name) for name in names][1:] == [1, 2], "what was signed stands"
    assert desk.ledger.verify().empty


def test_where_nobody_has_said_anything_there_is_nothing_to_freeze(opened) -> None:
    desk = opened(submissions=None)
    assert collection.freeze(desk) == ""
    assert collection.snapshots(desk).empty
    assert collection.status(desk)["state"].value_counts().to_dict() == {"missing": 3, "vacant": 1}
    with pytest.raises(LedgerError, match=r"no snapshot 'x'.*none"):
        collection.frozen(desk, "x")


# -- forms -----------------------------------------------------------------------------------------


def test_forms_are_numbered_kept_and_found_again_and_issued_once_while_nothing_changes(opened) -> None:
    desk = opened()
    forms = {form.person: form for form in collection.issue_forms(desk)}
    assert set(forms) == {"Ada", "Nina", "Sven", "Anna", "Ben", "Carl"}
    anna, sven = forms["Anna"], forms["Sven"]
    assert (anna.role, sven.role) == ("seller", "manager")
    assert anna.asked["node"].unique().tolist() == ["anna"]
    kinds = sven.asked.drop_duplicates("node").set_index("node")["kind"].to_dict()
    assert kinds == {"south": "override", "carl": "override", "dora": "submission"}
    assert len(anna.asked) == 3 * 4, "months x categories"
    assert anna.targets.empty
    assert anna.history["actual"].notna().all()
    assert len(anna.history) == 12
    head = desk.ledger.head()
    again = {form.person: form.template for form in collection.issue_forms(desk)}
    assert again == {person: form.template for person, form in forms.items()}
    assert desk.ledger.head() == head
    found = collection.issued_form(desk, sven.template)
    assert isinstance(found, Form)
    assert found.said() == sven.said()
    assert collection.issued_form(desk, "acme-2026Q2-nobody-1-00000000") is None


def test_a_new_word_makes_a_new_issue_for_those_who_see_it_and_the_old_one_is_stale(opened) -> None:
    desk = opened()
    forms = {form.person: form for form in collection.issue_forms(desk)}
    record(desk, answer(submissions=word(12_345)))
    again = {form.person: form for form in collection.issue_forms(desk)}
    assert {person: form.issue for person, form in again.items()} == {
        "Ada": 2, "Nina": 2, "Anna": 2, "Sven": 1, "Ben": 1, "Carl": 1,
    }  # fmt: skip
    assert collection.newest_issue(desk, forms["Anna"]) == 2
    assert again["Anna"].asked.set_index(["period", "category"])["said"][("2026-04", "commit")] == 12_345
    assert collection.issued_form(desk, forms["Anna"].template).issue == 1
    assert [form.person for form in collection.issue_forms(desk, people=["Ben"])] == ["Ben"]


def test_targets_stand_on_a_form_only_where_the_params_say_so(opened) -> None:
    desk = opened(cycle={"collection": {"show_target": True}})
    set_goals(desk)
    anna = collection.forms_of(desk, people=["Anna"])[0]
    assert anna.targets[["node", "period"]].to_numpy().tolist() == [["anna", month] for month in desk.months]


# -- notes, changes, estimates ----------------------------------------------------------------------


def test_a_field_note_is_kept_once_and_stands_beside_those_of_the_table(opened) -> None:
    desk = opened()
    note = pd.DataFrame(
        [{"node": "anna", "topic": "pricing", "text": "Rebates are asked for", "written_at": "2026-04-09"}]
    )
    assert len(record(desk, answer(notes=note)).commits) == 1
    later = note.assign(written_at="2026-04-10")
    assert record(desk, answer(notes=later)).commits == ()
    assert open_notes(desk)[["name", "topic", "text", "author"]].to_numpy().tolist() == [
        ["anna", "pricing", "Rebates are asked for", "Anna"]
    ]
    strange = record(desk, answer(notes=note.assign(node="zoe")))
    assert (len(strange.commits), len(strange.findings)) == (0, 1)


def test_a_large_change_without_a_reason_is_listed_and_one_with_a_reason_is_not(opened) -> None:
    desk = opened()
    record(desk, answer(submissions=word(1, comment="tender lost")))
    record(desk, answer("Ben", submissions=word(1, node="ben")))
    record(desk, answer("Nina", overrides=change(5)))
    assert unexplained(desk)["node"].tolist() == ["ben"]
    assert collection.changes(desk)["kind"].tolist() == ["submission", "submission", "override"]


def test_managers_are_a_source_of_the_plan_only_where_they_changed_a_forecast(opened) -> None:
    desk = opened()
    set_goals(desk)
    plain, weighed = make_plan(desk)
    assert "manager" not in set(weighed["source"])
    record(desk, answer("Nina", overrides=change(90_000)))
    estimate = collection.manager_estimates(desk)
    assert estimate.to_numpy().tolist() == [["north", "2026-04", "manager", 90_000.0]]
    moved, weighed = make_plan(desk)
    mine = weighed[weighed["source"] == "manager"]
    assert mine["evidence"].tolist() == ["none"], "nobody has a record of overrides yet"
    assert moved.commitments.loc["north", "2026-04"] > plain.commitments.loc["north", "2026-04"]
    assert planning.contributions_add_up(moved)


def test_managers_are_weighed_by_how_far_their_overrides_were_off(opened) -> None:
    rows = []
    for quarter in ("2025-07", "2025-10", "2026-01"):
        at = pd.Timestamp(f"{quarter}-09 12:00")
        rows.append(("anna", quarter, "commit", 100.0, "Nina", at, "as I see it"))
    names = ["node", "period", "category", "value", "overridden_by", "overridden_at", "reason"]
    desk = opened(overrides=pd.DataFrame(rows, columns=names))
    set_goals(desk)
    records = planning.learn_trust(desk, quarters=3)
    assert records.loc[records["source"] == "manager", ["node", "periods"]].to_numpy().tolist() == [
        ["anna", 3]
    ]
    record(desk, answer("Nina", overrides=change(90_000, node="anna")))
    weighed = planning.weigh(desk, planning.gather_estimates(desk), records, leadership=0.5)
    assert weighed.loc[weighed["source"] == "manager", "evidence"].tolist() == ["node"]


def test_who_moved_into_a_seat_speaks_for_it_from_that_day(opened) -> None:
    people = roster()
    people.loc[people["node"] == "ben", "end"] = "2026-04-08"
    berta = {"node": "ben", "person": "Berta", "start": "2026-04-09", "fte": "1"}
    desk = opened(roster=pd.concat([people, pd.DataFrame([berta])]))
    assert len(record(desk, answer("Ben", submissions=word(1, node="ben"))).findings) == 1
    assert len(record(desk, answer("Berta", submissions=word(1, node="ben"))).commits) == 1
    assert collection.status(desk).set_index("node").loc["ben", "owner"] == "Berta"


def test_amounts_that_a_ledger_of_before_froze_without_a_text_are_no_words(opened) -> None:
    desk = opened()
    before = collection.field_submissions(desk)
    cell = {"node": ["dora"], "period": ["2026-04"], "measure": ["revenue"], "item": ["commit"], "value": [5]}
    desk.ledger.commit("submission", pd.DataFrame(cell), author="Ops", message="heard by")
    pd.testing.assert_frame_equal(collection.field_submissions(desk), before)
