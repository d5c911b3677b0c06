"""Versions: every cell of every commit stays to be seen, withdrawn ones and reverts too."""

import pandas as pd

from spms_lib.store.ledger import Ledger
from spms_lib.store.schema import KINDS, cells, commits


def test_every_version_is_listed_in_the_order_of_the_commits(ledger, cells) -> None:
    first = ledger.commit(
        "submission", cells("north 2026-01 revenue 1\nsouth 2026-02 revenue 2"), author="Ada", message="a"
    )
    ledger.commit("submission", cells("north 2026-01 revenue 3"), author="Ben", message="b")
    ledger.commit("submission", cells("north 2026-01 revenue -"), author="Ben", message="c")
    found = ledger.versions("submission")
    assert found[["node", "author", "message", "seq"]].to_numpy().tolist() == [
        ["north", "Ada", "a", 1], ["south", "Ada", "a", 1], ["north", "Ben", "b", 2], ["north", "Ben", "c", 3],
    ]  # fmt: skip
    assert found["value"].tolist()[:3] == [1, 2, 3]
    assert pd.isna(found["value"].iloc[3])
    assert found["withdrawn"].tolist() == [False, False, False, True]
    assert found["commit"].iloc[0] == first.id


def test_a_revert_is_a_version_of_its_own(ledger, cells) -> None:
    ledger.commit("submission", cells("north 2026-01 revenue 1"), author="Ada", message="a")
    wrong = ledger.commit("submission", cells("north 2026-01 revenue 9"), author="Ada", message="b")
    ledger.revert(wrong.id, author="Ben")
    assert ledger.versions("submission")["value"].tolist() == [1, 9, 1]


def test_versions_are_chosen_by_period_moment_kind_and_scenario(ledger, cells) -> None:
    first = ledger.commit("submission", cells("north 2026-01 revenue 1"), author="Ada", message="a")
    ledger.commit("submission", cells("north 2026-02 revenue 2"), author="Ada", message="b")
    ledger.commit("targets", cells("north 2026-01 revenue 7"), author="Ada", message="t")
    ledger.commit(
        "submission", cells("north 2026-01 revenue 8"), author="Ada", message="s", scenario="frozen"
    )
    assert ledger.versions("submission", periods=["2026-02"])["value"].tolist() == [2]
    assert ledger.versions("submission", as_of=first.id)["value"].tolist() == [1]
    assert ledger.versions("submission", scenario="frozen")["value"].tolist() == [8]
    assert ledger.versions("override").empty


def test_a_ledger_knows_its_kinds_by_the_program_so_one_of_before_takes_new_kinds(tmp_path, cells) -> None:
    written = " ".join(
        str(one.sqltext)
        for table in (commits, cells_table)
        for one in table.constraints
        if hasattr(one, "sqltext")
    )
    assert not any(kind in written for kind in KINDS), (
        "a kind in the database itself would shut old files out"
    )
    with Ledger.open(tmp_path / "old.sqlite") as old:
        old.commit("targets", cells("north 2026-01 revenue 1"), author="Ada", message="before")
    with Ledger.open(tmp_path / "old.sqlite") as now:
        now.commit("form", cells("north 2026Q1 revenue 1"), author="Ada", message="form")
        assert now.verify().empty


cells_table = cells
