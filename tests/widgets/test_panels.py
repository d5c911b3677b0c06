"""Panels: thin faces on plain functions; moving a control changes the proposal and the preview, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace

import ipywidgets as ui
import pytest

from spms_lib.cycle import Desk, planning
from spms_lib.cycle.setting import basis_of, set_targets
from spms_lib.cycle.targets import read_targets
from spms_lib.reconcile.plan import reconcile
from spms_lib.store.holds import Hold, place_hold
from spms_lib.widgets.panels import Proposal, dial_panel, goal_panel, propose

from firms import Firm, close, everything, set_goals  # isort: skip

TARGET = 160_000


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Firm(tmp_path_factory.mktemp("widgets")).write(everything()).desk()


@pytest.fixture
def desk(loaded: Desk, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.delenv("SPMS_OUT", raising=False)
    monkeypatch.setenv("SPMS_AUTHOR", "Tester")
    made = replace(loaded, root=tmp_path, _checks=[])
    yield made
    close(made)


def controls(panel: ui.Widget) -> dict[str, ui.FloatSlider]:
    found = {}
    for child in getattr(panel, "children", ()):
        found |= {child.description: child} if isinstance(child, ui.FloatSlider) else controls(child)
    return found


def preview(panel: ui.Widget) -> str:
    return panel.children[-1].value


def proposal(**changes: object) -> Proposal:
    return propose(**{"wanted": {"history": 1.0}, "over_assignment": {"seller": 0.05}, **changes})


def test_a_panel_has_a_control_per_driver_and_per_level_and_needs_no_browser(desk: Desk) -> None:
    panel = goal_panel(desk, proposal(), basis=basis_of(desk), target=TARGET)
    assert list(controls(panel)) == [
        "equal", "history", "growth", "capacity", "pipeline", "region", "seller",
    ]  # fmt: skip
    assert controls(panel)["seller"].value == 0.05
    assert "Targets as proposed" in preview(panel)


def test_showing_a_panel_changes_no_number_of_the_proposal(desk: Desk) -> None:
    wanted, ratios = {"history": 3.0, "equal": 1.0}, {"seller": 0.4, "region": -0.05}
    made = propose(wanted=wanted, over_assignment=ratios)
    goal_panel(desk, made, basis=basis_of(desk), target=TARGET)
    assert {name: value for name, value in made.wanted.items() if value} == {"history": 3.0, "equal": 1.0}
    assert made.over_assignment == {"seller": 0.4, "region": -0.05}
    assert wanted == {"history": 3.0, "equal": 1.0}  # nor of the notebook's own parameters


def test_moving_a_slider_changes_the_proposal_and_the_preview_as_the_cells_below_will(desk: Desk) -> None:
    made = proposal()
    panel = goal_panel(desk, made, basis=basis_of(desk), target=TARGET)
    before = preview(panel)
    controls(panel)["equal"].value = 1.0
    assert made.wanted["equal"] == 1.0
    assert preview(panel) != before
    found = set_targets(
        desk, basis_of(desk), TARGET, wanted=made.wanted, over_assignment=made.over_assignment
    )
    base = found.base
    for region in ("north", "south"):
        assert f"€{round(base.loc[region].sum() / 100):,}" in preview(panel)
    controls(panel)["seller"].value = 0.1
    assert made.over_assignment["seller"] == 0.1


def test_a_refusal_is_shown_and_not_raised_and_goes_away(desk: Desk) -> None:
    panel = goal_panel(desk, proposal(), basis=basis_of(desk), target=TARGET)
    controls(panel)["history"].value = 0.0
    assert 'role="alert"' in preview(panel)
    assert "NoBasisError" in preview(panel)
    controls(panel)["history"].value = 0.5
    assert 'role="alert"' not in preview(panel)


def test_a_hold_that_cannot_stand_is_shown_in_its_place(desk: Desk) -> None:
    place_hold(
        desk.ledger, Hold("anna", "2026-05", "revenue", 10**9, owner="Ada", reason="<b>"), author="Ada"
    )
    assert "InfeasibleError" in preview(goal_panel(desk, proposal(), basis=basis_of(desk), target=TARGET))


def test_a_driver_that_the_company_lacks_is_refused_in_the_panel_as_in_a_batch_run(desk: Desk) -> None:
    panel = goal_panel(
        desk, proposal(wanted={"potential": 0.5, "history": 0.5}), basis=basis_of(desk), target=TARGET
    )
    assert "no driver 'potential'" in preview(panel).replace("&#x27;", "'").replace("&#39;", "'")


def test_the_panel_commits_nothing(desk: Desk) -> None:
    panel = goal_panel(desk, proposal(), basis=basis_of(desk), target=TARGET)
    controls(panel)["equal"].value = 1.0
    assert desk.ledger.head() is None


def test_the_dial_moves_the_plan_and_the_proposal(desk: Desk) -> None:
    set_goals(desk)
    head = desk.ledger.head()
    records, estimates = planning.learn_trust(desk), planning.gather_estimates(desk)
    made = propose(leadership=0.5)
    panel = dial_panel(desk, made, estimates=estimates, records=records)
    shown = {}
    for at in (0.0, 0.5, 1.0):
        controls(panel)["leadership"].value = at
        assert made.leadership == at
        assert 'role="alert"' not in preview(panel)
        shown[at] = preview(panel)
        weighed = planning.weigh(desk, estimates, records, leadership=at)
        company = reconcile(desk.tree, weighed).commitments.loc["acme"].sum()
        assert f"€{round(company / 100):,}" in preview(panel)
    assert len(set(shown.values())) == 3
    assert read_targets(desk).loc["acme"].sum() > 0
    assert desk.ledger.head() == head
