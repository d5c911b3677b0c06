"""Panels that propose: sliders over plain functions. The next cell of the notebook computes and commits.

A panel changes only the `Proposal` it was given. In a batch run no panel is made and the
proposal stays as the parameters set it.
"""

from types import SimpleNamespace
from typing import Any

import ipywidgets as ui
import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.planning import named, reconcile_quarter, weigh
from spms_lib.cycle.setting import Basis, set_targets
from spms_lib.errors import SpmsError
from spms_lib.reconcile.gaps import gap_table
from spms_lib.report.tables import Printed, show


class Proposal(SimpleNamespace):
    """What an analyst proposes in a panel, by name; read by the cells below it."""


def propose(**values: Any) -> Proposal:
    """Start a proposal from the notebook's parameters.

    Examples
    --------
    >>> propose(leadership=0.5).leadership
    0.5
    """
    return Proposal(**values)


def goal_panel(
    desk: Desk, proposal: Proposal, *, basis: Basis, target: int, by_level: bool = False
) -> ui.Widget:
    """Adjust the influence of each driver and the over-assignment of each level, and see the targets move.

    Parameters
    ----------
    proposal
        With `wanted` (driver: influence) and `over_assignment` (level: ratio); changed in place.
    basis
        From `basis_of`.
    target
        The company's target of the quarter, minor units.
    by_level
        As in `set_targets`.
    """
    usable = ["equal", *map(str, basis.gated.drivers.columns)]
    wanted = {name: proposal.wanted.get(name, 0.0) for name in usable}
    influence = {
        name: ui.FloatSlider(value, min=0.0, max=max(1.0, value), step=0.05, description=name)
        for name, value in wanted.items()
    }
    ratios = {level: proposal.over_assignment.get(level, 0.0) for level in desk.tree.level_names[1:]}
    hedge = {
        level: ui.FloatSlider(
            ratio,
            min=min(0.0, ratio),
            max=max(0.3, ratio),
            step=0.005,
            readout_format=".1%",
            description=level,
        )
        for level, ratio in ratios.items()
    }

    def preview() -> Printed:
        proposal.wanted = {**proposal.wanted, **{name: slider.value for name, slider in influence.items()}}
        moved = {level: slider.value for level, slider in hedge.items()}
        proposal.over_assignment = {**proposal.over_assignment, **moved}
        ratios = proposal.over_assignment
        setting = set_targets(
            desk, basis, target, wanted=proposal.wanted, over_assignment=ratios, by_level=by_level
        )
        return _targets_preview(desk, setting.base, setting.quota)

    columns = [_group("Influence of drivers", influence), _group("Over-assignment by level", hedge)]
    return _panel(columns, [*influence.values(), *hedge.values()], preview)


def dial_panel(
    desk: Desk, proposal: Proposal, *, estimates: pd.DataFrame, records: pd.DataFrame
) -> ui.Widget:
    """Turn the dial from the field (0) to leadership (1), and see the plan move.

    Parameters
    ----------
    proposal
        With `leadership`; changed in place. 0.5 leaves the evidence as it is.
    """
    nodes = [desk.tree.root, *desk.tree.at_level(desk.review_level)]
    dial = ui.FloatSlider(proposal.leadership, min=0.0, max=1.0, step=0.05, description="leadership")

    def preview() -> Printed:
        proposal.leadership = dial.value
        weighed = weigh(desk, estimates, records, leadership=dial.value)
        plan = reconcile_quarter(desk, weighed)
        table = named(desk, gap_table(desk.tree, plan, estimates, nodes, desk.months))
        return show(
            table[["name", "target", "field", "plan", "moved"]],
            title=f"Plan with the dial at {dial.value:.2f}",
            money=["target", "field", "plan", "moved"],
            currency=desk.currency,
            cents=False,
        )

    return _panel([_group("Whom to trust", {"dial": dial})], [dial], preview)


def _targets_preview(desk: Desk, base: pd.DataFrame, quota: pd.DataFrame) -> Printed:
    nodes = [desk.tree.root, *desk.tree.at_level(desk.review_level)]
    table = pd.DataFrame(
        {
            "name": desk.tree.name[nodes].array,
            "target": base.loc[nodes].sum(axis=1).array,
            "quota": quota.loc[nodes].sum(axis=1).array,
        }
    )
    return show(
        table, title="Targets as proposed", money=["target", "quota"], currency=desk.currency, cents=False
    )


def _group(title: str, controls: dict[str, ui.Widget]) -> ui.Widget:
    return ui.VBox([ui.HTML(f"<strong>{title}</strong>"), *controls.values()])


def _panel(columns: list[ui.Widget], controls: list[ui.Widget], preview: Any) -> ui.Widget:
    """Put controls above a preview that is computed anew at every change; a refusal is shown in its place."""
    shown = ui.HTML()

    def refresh(_change: object = None) -> None:
        try:
            shown.value = preview()._repr_html_()
        except SpmsError as refusal:
            shown.value = (
                f'<div role="alert"><strong>{type(refusal).__name__}</strong>: {_plain(str(refusal))}</div>'
            )

    for control in controls:
        control.observe(refresh, names="value")
    refresh()
    return ui.VBox([ui.HBox(columns), shown])


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
