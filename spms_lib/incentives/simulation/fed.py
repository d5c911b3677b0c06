"""Which components beliefs can feed, and which rules of a plan beliefs of whole intervals cannot carry out."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import PlanError
from spms_lib.incentives.engine.curve import Bands, compile_curve
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    INCREMENTAL,
    INTERVAL,
    LUMP,
    MONEY_VALUES,
    RATE,
    RETROACTIVE,
    TRANSACTION,
    CompensationPlan,
    Component,
    Curve,
)
from spms_lib.incentives.simulation.beliefs import Laid
from spms_lib.incentives.simulation.pay import Evaluator, on_base
from spms_lib.money import minor_per_unit

LEFT_OUT_COLUMNS: Final = ["component", "rule", "treatment"]


def evaluator(plan: CompensationPlan, laid: Laid) -> Evaluator:
    """Choose the components that beliefs can feed, compile their curves, and name what is left out.

    Raises
    ------
    PlanError
        If beliefs feed no component of the plan.
    """
    notes: list[tuple[str, str, str]] = []
    draft = Evaluator(plan, laid, (), (), {})
    interval, kept = "", []
    for component in plan.components.values():
        reason = _unfed(component, draft, interval)
        if reason:
            notes.append((component.name, reason, "component not simulated"))
            continue
        interval = interval or component.interval
        kept.append(component)
        notes += [(component.name, *note) for note in _simplified(component, draft)]
    if not kept:
        raise PlanError(
            "No component can be simulated: " + "; ".join(f"{name}: {rule}" for name, rule, _ in notes),
            where=f"plan '{plan.name}'",
            remedy="Give beliefs by the names of its components or of their measures.",
        )
    bands = {}
    for component in kept:
        for curve in (component.curve, *(gate.closed for gate in component.gates)):
            if curve is not None:
                bands[id(curve)] = _compiled(plan, component, curve)
    return Evaluator(plan, laid, tuple(notes), tuple(kept), bands)


def left_out(cases: Mapping[str, Evaluator]) -> pd.DataFrame:
    """List what each plan's simulation leaves out: columns plan, component, rule, treatment."""
    rows = [(name, *note) for name, one in cases.items() for note in one.left_out]
    return pd.DataFrame(rows, columns=["plan", *LEFT_OUT_COLUMNS])


def _compiled(plan: CompensationPlan, component: Component, curve: Curve) -> Bands:
    per_unit = minor_per_unit(plan.currency)
    rule = plan.measures[component.measure]
    raw = per_unit if rule.value in MONEY_VALUES and not rule.per else 1
    return compile_curve(
        curve,
        unit_scale=1 if curve.unit == ATTAINMENT else raw,
        money_scale=per_unit,
        on_base=on_base(component) and curve.pays == RATE,
    )


def _unfed(component: Component, draft: Evaluator, interval: str) -> str:
    """Say why a component cannot be simulated; empty where it can."""
    names = draft.laid.names
    if draft.row_of(component) is None:
        return f"nobody believes anything of '{component.name}' or its measure '{component.measure}'"
    if on_base(component) and component.base not in names:
        return f"nobody believes anything of its base '{component.base}'"
    if interval and component.interval != interval:
        return f"its interval is the {component.interval}, the one simulated is the {interval}"
    if component.accumulate == TRANSACTION and not _straight(component.curve):
        return "each credit goes through the curve alone, and beliefs are of whole intervals"
    if (
        on_base(component)
        and component.curve
        and any(t.mode not in {RETROACTIVE, LUMP} for t in component.curve.tiers)
    ):
        return "each credit pays on another measure as it comes, and beliefs are of whole intervals"
    matrix = component.matrix
    if matrix is not None and None in {draft.reference_row(one) for one in (matrix.rows, matrix.columns)}:
        return "nobody believes anything of a measure of its matrix"
    return ""


def _straight(curve: Curve | None) -> bool:
    """Tell whether a curve pays the same for one credit as for its parts."""
    if curve is None or curve.threshold or len(curve.tiers) != 1 or curve.step:
        return False
    return curve.tiers[0].mode in {INCREMENTAL, RETROACTIVE} and curve.tiers[0].start == 0


def _simplified(component: Component, draft: Evaluator) -> list[tuple[str, str]]:
    """Name the rules of a component that beliefs of whole intervals cannot carry out."""
    notes = []
    for rule, stated, treatment in (
        ("cap per deal", component.deal_cap, "paid as if no deal reached it"),
        ("kickers", component.kickers, "paid without them"),
        ("windfall limits", component.windfall, "paid as usual"),
        ("true-up", component.true_up, "single intervals are paid"),
        ("window of days", component.pays_from or component.pays_to, "beliefs are taken to be of its window"),
    ):
        if stated:
            notes.append((rule, treatment))
    tests = [("gate", one) for gate in component.gates for one, _, _ in gate.any_of]
    tests += [("multiplier", multiplier.reference) for multiplier in component.multipliers]
    tests += (
        [("matrix", one) for one in (component.matrix.rows, component.matrix.columns)]
        if component.matrix
        else []
    )
    for rule, reference in tests:
        what = f"{rule} on '{reference.component or reference.measure}'"
        row = draft.reference_row(reference)
        if row is None:
            notes.append((what, "taken as open" if rule == "gate" else "taken as 1"))
            continue
        if reference.over not in {INTERVAL, component.interval}:
            notes.append((f"{what} over the {reference.over}", "judged on the simulated interval"))
        if np.isnan(draft.laid.sds[row][np.isfinite(draft.laid.means[row])]).any():
            notes.append((what, "judged at the mean where no spread is known"))
    return notes
