"""What planners may rely on when they commit, look back, compare and undo."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.errors import LedgerError, StaleCommitError
from spms_lib.store.ledger import Ledger
from spms_lib.store.schema import KINDS

PLAN = """
    north 2026-01 revenue 100
    south 2026-01 revenue ?
"""
NOON = dt.datetime(2026, 1, 5, 12)


def test_a_commit_becomes_the_state_with_its_author_and_time(ledger, cells, lines):
    made = ledger.commit("targets", cells(PLAN), author="Ada", message="first plan", at=NOON)
    state = ledger.state("targets")
    assert lines(state) == ["north 2026-01 revenue 100", "south 2026-01 revenue ?"]
    assert state[["author", "time", "commit"]].drop_duplicates().values.tolist() == [
        ["Ada", pd.Timestamp(NOON), made.id]
    ]
    assert (made.seq, made.parent, made.cells, made.time) == (1, None, 2, NOON)
    assert ledger.head() == made.id


def test_state_has_the_types_that_the_contract_promises(ledger, cells):
    empty = ledger.state("targets").dtypes.astype(str).to_dict()
    ledger.commit("targets", cells(PLAN), author="Ada", message="")
    filled = ledger.state("targets").dtypes.astype(str).to_dict()
    assert empty == filled
    assert filled == {
        "node": "str",
        "period": "str",
        "measure": "str",
        "item": "str",
        "value": "Int64",
        "unit": "str",
        "text": "str",
        "commit": "str",
        "author": "str",
        "time": "datetime64[us]",
    }


def test_committing_the_same_twice_commits_once(ledger, cells):
    assert ledger.commit("targets", cells(PLAN), author="Ada", message="") is not None
    assert ledger.commit("targets", cells(PLAN), author="Ben", message="again") is None
    assert ledger.commit("targets", ledger.state("targets"), author="Ben", message="as read") is None
    assert len(ledger.log()) == 1


def test_only_cells_that_differ_are_stored(ledger, cells):
    ledger.commit("targets", cells(PLAN), author="Ada", message="")
    made = ledger.commit("targets", cells(PLAN.replace("100", "101")), author="Ben", message="")
    assert made.cells == 1
    assert ledger.state("targets")["author"].tolist() == ["Ben", "Ada"]


def test_null_stays_null_until_somebody_answers_and_is_not_zero(ledger, cells, lines):
    ledger.commit("targets", cells("south 2026-01 revenue ?"), author="Ada", message="")
    assert lines(ledger.state("targets")) == ["south 2026-01 revenue ?"]
    assert (
        ledger.commit("targets", cells("south 2026-01 revenue 0"), author="Ben", message="nothing").cells == 1
    )
    assert lines(ledger.state("targets")) == ["south 2026-01 revenue 0"]
    assert (
        ledger.commit("targets", cells("south 2026-01 revenue ?"), author="Ada", message="unsaid").cells == 1
    )
    assert lines(ledger.state("targets")) == ["south 2026-01 revenue ?"]


def test_a_withdrawn_cell_leaves_the_state_and_can_come_back(ledger, cells, lines):
    ledger.commit("targets", cells(PLAN), author="Ada", message="")
    assert ledger.commit("targets", cells("north 2026-01 revenue -"), author="Ada", message="").cells == 1
    assert lines(ledger.state("targets")) == ["south 2026-01 revenue ?"]
    assert ledger.commit("targets", cells("north 2026-01 revenue -"), author="Ada", message="") is None
    ledger.commit("targets", cells("north 2026-01 revenue 7"), author="Ada", message="")
    assert lines(ledger.state("targets")) == ["north 2026-01 revenue 7", "south 2026-01 revenue ?"]


def test_kinds_items_and_scenarios_do_not_mix(ledger, cells, lines):
    one = cells("north 2026-01 revenue 1")
    ledger.commit("targets", one, author="Ada", message="")
    ledger.commit("submission", one.assign(value=2, item="commit"), author="Ada", message="")
    ledger.commit("submission", one.assign(value=3, item="pipeline"), author="Ada", message="")
    ledger.commit("targets", one.assign(value=4), author="Ada", message="", scenario="bold")
    assert ledger.state("targets")["value"].tolist() == [1]
    assert ledger.state("submission").set_index("item")["value"].to_dict() == {"commit": 2, "pipeline": 3}
    assert ledger.state("targets", scenario="bold")["value"].tolist() == [4]
    assert ledger.log(scenario="bold")["seq"].tolist() == [4]


def test_unit_and_text_are_part_of_a_cell(ledger, cells):
    one = cells("north 2026-01 revenue 1").assign(unit="EUR", text='{"why": "ökonomie \\u00e9"}')
    ledger.commit("note", one, author="Ada", message="")
    assert ledger.state("note")[["unit", "text"]].values.tolist() == [["EUR", '{"why": "ökonomie \\u00e9"}']]
    assert ledger.commit("note", one.assign(unit="USD"), author="Ada", message="").cells == 1
    assert ledger.commit("note", one.assign(unit="USD", text=None), author="Ada", message="").cells == 1
    assert ledger.state("note")["text"].isna().all()


def test_committing_leaves_the_callers_frame_alone(ledger, cells):
    given = cells(PLAN)
    before = given.copy(deep=True)
    ledger.commit("targets", given, author="Ada", message="")
    pd.testing.assert_frame_equal(given, before)


def test_any_past_day_time_commit_or_sign_off_can_be_shown_again(ledger, cells):
    one = cells("north 2026-01 revenue 1")
    first = ledger.commit("targets", one, author="Ada", message="", at=dt.datetime(2026, 1, 5, 9))
    ledger.sign_off("January", kind="targets", author="Ada", at=dt.datetime(2026, 1, 5, 10))
    ledger.commit("targets", one.assign(value=2), author="Ada", message="", at=dt.datetime(2026, 1, 5, 17))
    ledger.commit("targets", one.assign(value=3), author="Ada", message="", at=dt.date(2026, 1, 6))

    def then(moment):
        return ledger.state("targets", as_of=moment)["value"].tolist()

    assert then(dt.date(2026, 1, 4)) == []
    assert then(dt.datetime(2026, 1, 5, 9)) == [1]
    assert then(dt.datetime(2026, 1, 5, 16, 59)) == [1]
    assert then(dt.date(2026, 1, 5)) == [2]
    assert then("2026-01-05") == [2]
    assert then("2026-01-05T10:00") == [1]
    assert then(pd.Timestamp("2026-01-05 12:00")) == [1]
    assert then(dt.datetime(2026, 1, 5, 18, tzinfo=dt.timezone(dt.timedelta(hours=2)))) == [1]
    assert then(first.id) == then(first.id[:8].upper()) == [1]
    assert then("January") == [1]
    assert then(dt.date(2026, 1, 6)) == then(None) == [3]


def test_a_commit_cannot_be_slipped_into_the_past(ledger, cells):
    one = cells("north 2026-01 revenue 1")
    ledger.commit("targets", one, author="Ada", message="", at=NOON)
    with pytest.raises(LedgerError, match=r"2026-01-04T23:59:59.999999Z lies before .*Leave the time out"):
        ledger.commit("targets", one.assign(value=2), author="Ada", message="", at=dt.date(2026, 1, 4))
    assert ledger.commit("targets", one, author="Ada", message="", at=dt.date(2026, 1, 4)) is None


def test_a_clock_that_lags_behind_keeps_the_order_of_commits(ledger, cells):
    one = cells("north 2026-01 revenue 1")
    ahead = dt.datetime(2999, 1, 1)
    ledger.commit("targets", one, author="Ada", message="", at=ahead)
    assert ledger.commit("targets", one.assign(value=2), author="Ada", message="").time == ahead


def test_commits_without_a_time_take_the_clock_in_utc(ledger, cells):
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    made = ledger.commit("targets", cells(PLAN), author="Ada", message="")
    assert before <= made.time <= dt.datetime.now(dt.UTC).replace(tzinfo=None)


def test_a_stale_commit_is_refused_with_the_cells_that_moved_on(ledger, cells):
    ledger.commit("plan", cells(PLAN), author="Ada", message="", at=NOON)
    base = ledger.head()
    ledger.commit("plan", cells("north 2026-01 revenue 120"), author="Ben", message="", at=NOON)
    with pytest.raises(StaleCommitError) as refused:
        ledger.commit(
            "plan",
            cells("north 2026-01 revenue 110\nsouth 2026-01 revenue 5"),
            author="Ada",
            message="",
            base=base,
        )
    assert str(refused.value) == (
        "1 cell is changed by somebody else since you read them: north 2026-01 revenue was 100, is 120 "
        "(Ben, 2026-01-05 12:00 UTC), and would become 110. Read the state again, look at their changes, "
        "and commit only the cells you still want to change."
    )
    conflict = refused.value.conflicts.iloc[0]
    assert conflict[["node", "base_value", "their_value", "your_value", "author"]].tolist() == [
        "north",
        100,
        120,
        110,
        "Ben",
    ]
    assert len(refused.value.conflicts) == 1
    assert ledger.state("plan")["value"].tolist() == [120, pd.NA]  # nothing of the refused commit was kept


def test_changes_to_other_cells_are_no_conflict(ledger, cells, lines):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    base = ledger.head()
    ledger.commit("plan", cells("north 2026-01 revenue 120"), author="Ben", message="")
    ledger.commit("targets", cells("south 2026-01 revenue 9"), author="Ben", message="")
    ledger.commit("plan", cells("south 2026-01 revenue 5"), author="Ada", message="", base=base)
    assert lines(ledger.state("plan")) == ["north 2026-01 revenue 120", "south 2026-01 revenue 5"]


def test_agreeing_with_a_change_is_no_conflict(ledger, cells):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    base = ledger.head()
    ledger.commit("plan", cells("north 2026-01 revenue 120"), author="Ben", message="")
    same = cells("north 2026-01 revenue 120")
    assert ledger.commit("plan", same, author="Ada", message="", base=base) is None


def test_a_cell_withdrawn_or_added_meanwhile_is_a_conflict(ledger, cells):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    base = ledger.head()
    ledger.commit("plan", cells("north 2026-01 revenue -\nwest 2026-01 revenue 3"), author="Ben", message="")
    for mine in ("north 2026-01 revenue 1", "west 2026-01 revenue 4"):
        with pytest.raises(StaleCommitError, match=r"1 cell is changed .* \(Ben, "):
            ledger.commit("plan", cells(mine), author="Ada", message="", base=base)


def test_an_empty_base_means_that_nothing_was_there(ledger, cells):
    ledger.commit("plan", cells("north 2026-01 revenue 1"), author="Ben", message="")
    with pytest.raises(StaleCommitError, match="was nothing, is 1"):
        ledger.commit("plan", cells("north 2026-01 revenue 2"), author="Ada", message="", base="")


def test_a_long_list_of_conflicts_is_shortened_in_the_message_only(ledger, cells):
    many = cells("\n".join(f"n{number} 2026-01 revenue 1" for number in range(5)))
    ledger.commit("plan", many, author="Ada", message="")
    base = ledger.head()
    ledger.commit("plan", many.assign(value=2), author="Ben", message="")
    with pytest.raises(StaleCommitError, match=r"n2 .*; and 2 more\.") as refused:
        ledger.commit("plan", many.assign(value=3), author="Ada", message="", base=base)
    assert len(refused.value.conflicts) == 5


def test_the_log_lists_the_newest_first_with_sign_offs(ledger, cells):
    ledger.commit("targets", cells(PLAN), author="Ada", message="first", at=NOON)
    ledger.commit("plan", cells(PLAN), author="Ben", message="plan", at=NOON)
    ledger.sign_off("B", kind="plan", author="Ben", at=NOON)
    ledger.sign_off("A", kind="targets", author="Ben", at=NOON)
    log = ledger.log()
    assert log.columns.tolist() == ["seq", "id", "time", "author", "kind", "message", "cells", "signoffs"]
    assert log[["seq", "author", "message", "cells", "signoffs"]].values.tolist() == [
        [2, "Ben", "plan", 2, "A, B"],
        [1, "Ada", "first", 2, ""],
    ]
    assert ledger.log(kind="targets")["seq"].tolist() == [1]
    assert ledger.log(limit=1)["seq"].tolist() == [2]


def test_a_diff_says_what_was_added_changed_and_withdrawn(ledger, cells):
    start = "a 2026-01 revenue 1\nb 2026-01 revenue 2\nc 2026-01 revenue ?\nd 2026-01 revenue 4"
    first = ledger.commit("plan", cells(start), author="Ada", message="", at=dt.date(2026, 1, 5))
    ledger.commit(
        "plan",
        cells("a 2026-01 revenue -\nb 2026-01 revenue 5\nc 2026-01 revenue 0\ne 2026-01 revenue ?"),
        author="Ada",
        message="",
        at=dt.date(2026, 1, 6),
    )
    diff = ledger.diff(first.id[:10])
    shown = diff[["node", "change", "before", "after", "delta"]].astype(object)
    assert shown.where(shown.notna(), None).values.tolist() == [
        ["a", "withdrawn", 1, None, None],
        ["b", "changed", 2, 5, 3],
        ["c", "changed", None, 0, None],  # null to 0 is an answer, and its delta is not known
        ["e", "added", None, None, None],
    ]
    assert set(diff["kind"]) == {"plan"}
    pd.testing.assert_frame_equal(ledger.diff("2026-01-05", "2026-01-06", kind="plan"), diff)
    assert ledger.diff("2026-01-06").empty
    assert ledger.diff("2026-01-06", "2026-01-05")["delta"].dropna().tolist() == [-3]


def test_a_change_of_unit_has_no_delta(ledger, cells):
    one = cells("a 2026-01 revenue 1").assign(unit="EUR")
    first = ledger.commit("plan", one, author="Ada", message="")
    ledger.commit("plan", one.assign(unit="USD", value=2), author="Ada", message="")
    row = ledger.diff(first.id).iloc[0]
    assert row[["unit_before", "unit_after", "before", "after"]].tolist() == ["EUR", "USD", 1, 2]
    assert pd.isna(row["delta"])


def test_a_revert_puts_back_values_and_withdraws_what_was_new(ledger, cells, lines):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    before = ledger.state("plan")[["node", "value", "unit", "text"]]
    text = "north 2026-01 revenue -\nsouth 2026-01 revenue 5\nwest 2026-01 revenue 3"
    bad = ledger.commit("plan", cells(text), author="Ben", message="oops")
    after = lines(ledger.state("plan"))
    undone = ledger.revert(bad.id, author="Ada")
    pd.testing.assert_frame_equal(ledger.state("plan")[["node", "value", "unit", "text"]], before)
    assert ledger.log()["message"].iloc[0] == f"Reverts {bad.id[:12]}: oops"
    ledger.revert(undone.id, author="Ada", message="after all")
    assert lines(ledger.state("plan")) == after
    assert ledger.verify().empty


def test_a_revert_is_refused_when_its_cells_moved_on(ledger, cells):
    bad = ledger.commit("plan", cells(PLAN), author="Ben", message="oops")
    later = ledger.commit("plan", cells("north 2026-01 revenue 7"), author="Cy", message="")
    with pytest.raises(
        StaleCommitError, match=r"1 cell is no longer as commit .* north .* is 7 \(Cy.* later commits first"
    ) as no:
        ledger.revert(bad.id, author="Ada")
    assert no.value.conflicts["node"].tolist() == ["north"]
    ledger.revert(later.id, author="Ada")
    ledger.revert(bad.id, author="Ada")  # in the right order both can be undone
    assert ledger.state("plan").empty


def test_a_commit_is_reverted_in_its_own_scenario(ledger, cells):
    made = ledger.commit("plan", cells(PLAN), author="Ada", message="", scenario="bold")
    with pytest.raises(LedgerError, match="belongs to scenario 'bold', not 'main'"):
        ledger.revert(made.id, author="Ada")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_committed(ledger, cells, kind):
    ledger.commit(kind, cells(PLAN), author="Ada", message="")
    assert len(ledger.state(kind)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "target"}, r"no kind 'target'\. Did you mean 'targets'\? Known kinds: targets, "),
        ({"author": " "}, r"no author\. Say who makes it"),
        ({"scenario": ""}, "scenario has no name"),
        ({"base": "abcd1234"}, r"no commit or sign-off 'abcd1234'\. Give an id from log\(\)"),
        ({"base": "xyz"}, "no commit or sign-off 'xyz'"),
    ],
)
def test_a_commit_that_cannot_be_right_is_refused(ledger, cells, change, message):
    ledger.commit("targets", cells(PLAN), author="Ada", message="")
    given = {"kind": "targets", "author": "Ada", "message": "", **change}
    with pytest.raises(LedgerError, match=message):
        ledger.commit(given.pop("kind"), cells(PLAN.replace("100", "101")), **given)
    assert len(ledger.log()) == 1


def test_questions_that_cannot_be_answered_say_what_can(ledger, cells):
    ledger.commit("plan", cells(PLAN), author="Ada", message="")
    ledger.sign_off("Q3 plan", kind="plan", author="Ada")
    with pytest.raises(LedgerError, match=r"Did you mean the sign-off 'Q3 plan'\?"):
        ledger.diff("Q3 plam")
    with pytest.raises(LedgerError, match=r"'2026-02-31' is not a day or a time\. Write 2026-01-31"):
        ledger.state("plan", as_of="2026-02-31")
    with pytest.raises(LedgerError, match=r"no scenario 'bold'\. Known scenarios: main\."):
        ledger.state("plan", scenario="bold")
    with pytest.raises(LedgerError, match="no kind 'plans'"):
        ledger.log(kind="plans")
    with pytest.raises(LedgerError, match="The time is missing"):
        ledger.state("plan", as_of=pd.NaT)


def test_an_ambiguous_id_is_refused_with_the_candidates(ledger, cells):
    for value in (1, 2):
        ledger.commit("plan", cells(f"north 2026-01 revenue {value}"), author="Ada", message="")
    with ledger._writing() as connection:  # two real ids that start alike are rare
        connection.exec_driver_sql("UPDATE commits SET id = 'abcd' || seq")
    with pytest.raises(
        LedgerError, match=r"Several commits start with 'abcd': abcd1, abcd2\. Give more characters"
    ):
        ledger.state("plan", as_of="abcd")
    assert ledger.state("plan", as_of="abcd1")["value"].tolist() == [1]


def test_a_closed_ledger_says_so():
    ledger = Ledger.open("sqlite://")
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.head()


def test_the_export_holds_every_row(ledger, cells, tmp_path):
    ledger.commit("plan", cells(PLAN), author="Ada", message='said "yes", then\nleft', at=NOON)
    ledger.sign_off("P", kind="plan", author="Ada", at=NOON)
    files = ledger.export(tmp_path / "out")
    assert [file.name for file in files] == [
        "commits.parquet",
        "cells.parquet",
        "signoffs.parquet",
        "journal.parquet",
    ]
    read = {file.stem: pd.read_parquet(file) for file in files}
    assert read["cells"]["value"].tolist() == [100, pd.NA]
    assert read["commits"]["time"].tolist() == [pd.Timestamp(NOON)]
    assert read["journal"]["entry"].tolist() == [1, 2]
    as_csv = {file.stem: pd.read_csv(file) for file in ledger.export(tmp_path / "out", csv=True)}
    assert as_csv["commits"]["message"].tolist() == ['said "yes", then\nleft']
    assert as_csv["commits"]["time"].tolist() == ["2026-01-05T12:00:00.000000Z"]
    assert {name: len(frame) for name, frame in as_csv.items()} == {
        name: len(frame) for name, frame in read.items()
    }
