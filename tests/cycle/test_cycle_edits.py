"""Edits of the quarter's targets: kept, made again on every cascade, undone, and never lost."""

import pandas as pd
import pytest

from spms_lib.commitments import conservation_gaps
from spms_lib.cycle import edits as steps
from spms_lib.cycle import targets
from spms_lib.errors import InfeasibleError, LedgerError
from spms_lib.goals.edits import Edit
from spms_lib.store.holds import Hold, place_hold

from firms import QUARTER, set_goals  # isort: skip

WHO = {"author": "Tester", "owner": "Head of Sales", "reason": "new key account"}


def raised(desk, *, node: str = "anna", by: int = 5000) -> Edit:
    return Edit("proportional", node, desk.cycle, amount=by, action="add")


def test_an_edit_is_made_on_every_new_cascade_and_the_companys_number_stands(opened) -> None:
    desk = opened()
    _, base, _ = set_goals(desk)
    steps.record_edit(desk, raised(desk), **WHO)
    edited, table = steps.make_edits(desk, base, targets.holds_in_force(desk))
    assert edited.loc["anna"].sum() == base.loc["anna"].sum() + 5000
    assert edited.loc["acme"].equals(base.loc["acme"]), "month by month"
    assert not conservation_gaps(desk.tree, edited.to_numpy()).any()
    others = [leaf for leaf in desk.tree.leaves if leaf != "anna"]
    moved = edited.loc[others].sum(axis=1) - base.loc[others].sum(axis=1)
    assert (moved < 0).all(), "the others absorb it in proportion"
    assert table[["edit", "owner", "reason", "made"]].to_numpy().tolist() == [
        [
            f"proportional on anna in {desk.cycle}, amount €50.00, action add",
            "Head of Sales",
            "new key account",
            True,
        ]
    ]
    _, higher, _ = set_goals(desk, growth_ratio=0.2)
    again, _ = steps.make_edits(desk, higher, targets.holds_in_force(desk))
    assert again.loc["anna"].sum() == higher.loc["anna"].sum() + 5000


def test_edits_are_made_in_the_order_in_which_they_were_kept(opened) -> None:
    desk = opened()
    _, base, _ = set_goals(desk)
    steps.record_edit(desk, Edit("percent_change", "north", desk.cycle, ratio=0.5), **WHO)
    steps.record_edit(desk, Edit("proportional", "anna", desk.cycle, amount=30_000), **WHO)
    edited, table = steps.make_edits(desk, base, targets.holds_in_force(desk))
    assert edited.loc["anna"].sum() == 30_000  # the other way round she would have half of it
    assert table["number"].tolist() == ["0001", "0002"]


def test_an_undone_edit_is_no_longer_made_and_the_targets_are_as_before(opened) -> None:
    desk = opened()
    _, base, _ = set_goals(desk)
    steps.record_edit(desk, raised(desk), **WHO)
    steps.undo_edit(desk, "1", author="Tester", reason="account was lost")
    edited, table = steps.make_edits(desk, base, targets.holds_in_force(desk))
    pd.testing.assert_frame_equal(edited, base, check_names=False)
    assert table.empty
    assert len(desk.ledger.log(kind="edit")) == 2, "what was said stays on record"
    with pytest.raises(LedgerError, match="There is no edit 1"):
        steps.undo_edit(desk, "1", author="Tester", reason="twice")


def test_an_edit_that_can_no_longer_be_made_is_shown_with_its_reason_and_the_others_are_made(opened) -> None:
    desk = opened()
    _, base, _ = set_goals(desk)
    steps.record_edit(desk, raised(desk), **WHO)
    steps.record_edit(desk, raised(desk, node="ben"), **WHO)
    for month in QUARTER:
        value = int(base.loc["anna", month])
        place_hold(
            desk.ledger, Hold("anna", month, "revenue", value, owner="Ada", reason="signed"), author="Ada"
        )
    edited, table = steps.make_edits(desk, base, targets.holds_in_force(desk))
    assert table[["made", "proved"]].values.tolist() == [[False, False], [True, True]]
    assert "held are 'anna'" in table["detail"].iloc[0]
    assert edited.loc["anna"].equals(base.loc["anna"])


def test_a_preview_shows_every_node_that_moves_and_keeps_nothing(opened) -> None:
    desk = opened()
    set_goals(desk)
    before = desk.ledger.head()
    seen, proved = steps.preview_edit(desk, raised(desk))
    assert proved["passed"].all()
    assert desk.ledger.head() == before
    anna = seen[seen["node"] == "anna"]
    assert anna["change"].sum() == 5000
    assert "acme" not in set(seen["node"])
    leaves = seen[seen["node"].isin(desk.tree.leaves)]
    assert leaves["change"].sum() == 0


def test_last_year_is_a_shape_to_spread_by(opened) -> None:
    desk = opened()
    set_goals(desk)
    edit = Edit("relative_proportional", "anna", desk.cycle, amount=40_000, reference="last_year")
    seen = steps.preview_edit(desk, edit)[0].set_index(["node", "period"])["after"]
    shares = [seen["anna", month] for month in QUARTER]
    assert shares == [10_000, 10_000, 20_000]  # Anna sells twice as much in a quarter's last month


def test_an_edit_without_reason_or_against_the_companys_number_is_refused(opened) -> None:
    desk = opened()
    set_goals(desk)
    with pytest.raises(LedgerError, match="no reason"):
        steps.record_edit(desk, raised(desk), author="Tester", owner="Ada", reason=" ")
    with pytest.raises(InfeasibleError, match="'acme' cannot become"):
        steps.record_edit(desk, Edit("proportional", "acme", desk.cycle, amount=5), **WHO)
    assert desk.ledger.log(kind="edit").empty


def test_a_hold_that_is_younger_than_the_targets_stands_in_a_preview(opened) -> None:
    desk = opened()
    _, base, _ = set_goals(desk)
    held = int(base.loc["ben", QUARTER[0]]) + 777
    place_hold(
        desk.ledger, Hold("ben", QUARTER[0], "revenue", held, owner="Ada", reason="signed"), author="Ada"
    )
    seen, _ = steps.preview_edit(desk, raised(desk))
    assert "ben" not in set(seen.loc[seen["period"] == QUARTER[0], "node"]), (
        "held, so the edit does not move it"
    )
    assert seen.loc[seen["node"] == "anna", "change"].sum() == 5000


def test_an_edit_that_leaves_somebody_below_zero_is_made_but_does_not_prove_itself(opened) -> None:
    desk = opened()
    _, base, _ = set_goals(desk)
    small = int(base.loc["anna"].sum())
    edit = Edit("equal", "anna", desk.cycle, amount=2 * small, action="subtract")
    steps.record_edit(desk, edit, **WHO)
    _, table = steps.make_edits(desk, base, targets.holds_in_force(desk))
    assert table[["made", "proved"]].values.tolist() == [[True, False]]
    assert "nothing fell below zero" in table["detail"].iloc[0]
