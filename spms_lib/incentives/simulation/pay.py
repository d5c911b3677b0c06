"""A plan in floating point: what whole arrays of drawn performance earn, by the same compiled curves that pay exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spms_lib.incentives.engine.curve import Bands
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    MONEY,
    MONEY_VALUES,
    RATE,
    TARGET_INCENTIVE,
    UPPER,
    CompensationPlan,
    Component,
    Curve,
    Matrix,
    Reference,
)
from spms_lib.incentives.simulation.beliefs import Floats, Laid
from spms_lib.money import minor_per_unit

Drawn = Mapping[str, Floats]


class Paid(NamedTuple):
    """Pay of a block of payees, shape (n_payees, draws).

    Attributes
    ----------
    total
        Minor units; missing where something that pay needs is not known.
    attainments
        By component with a quota: performance / quota.
    attainment
        The same as one number per payee: the mean of its components, weighed by target incentive.
    """

    total: Floats
    attainments: dict[str, Floats]
    attainment: Floats


@dataclass(frozen=True)
class Evaluator:
    """A plan with the beliefs' quotas and target incentives, ready to pay drawn performance.

    A component is fed by the beliefs under its own name, whose target incentive is the component's, or else under its
    measure's name, whose target incentive is the payee's: the component's weight of it counts.
    """

    plan: CompensationPlan
    laid: Laid
    left_out: tuple[tuple[str, str, str], ...]
    components: tuple[Component, ...]
    bands: Mapping[int, Bands]

    def row_of(self, component: Component) -> str | None:
        """Name the beliefs that feed a component; None where nobody believes anything of it."""
        return next((name for name in (component.name, component.measure) if name in self.laid.names), None)

    def incentives(self, component: Component, block: slice = slice(None)) -> Floats:
        """Target incentive of a component by payee, minor units of the interval; 0 for who does not take part."""
        row = self.row_of(component)
        assert row is not None
        whole = row == component.name or component.weight is None
        found = self.laid.incentives[row][block] * (1.0 if whole else float(component.weight or 0))
        taken: Floats = np.where(self.laid.present[row][block], found, 0.0)
        return taken

    def at_quota(self) -> Paid:
        """Pay if everybody sold exactly the quota; what has no quota stands at its mean. Shape (n_payees, 1)."""
        laid = self.laid
        fixed = {
            name: np.where(np.isfinite(laid.quotas[name]), laid.quotas[name], laid.means[name])[:, None]
            for name in laid.names
        }
        return self.pay(slice(None), fixed)

    def pay(self, block: slice, drawn: Drawn) -> Paid:
        """Pay a block of payees for drawn performance."""
        shape = next(iter(drawn.values())).shape
        total, weighed, weights = np.zeros(shape), np.zeros(shape), np.zeros((shape[0], 1))
        attainments: dict[str, Floats] = {}
        for component in self.components:
            row = self.row_of(component)
            assert row is not None
            taken = self.laid.present[row][block, None]
            paid = self._component(component, row, block, drawn)
            total += paid if taken.all() else np.where(taken, paid, 0.0)
            quota = self.laid.quotas[row][block, None]
            if np.isfinite(quota).any():
                attainments[component.name] = drawn[row] / np.where(quota > 0, quota, np.nan)
                weight = self.incentives(component, block)[:, None]
                weight = np.where((quota > 0) & taken, np.where(np.isfinite(weight), weight, 1.0), 0.0)
                weighed += np.where(weight > 0, weight * attainments[component.name], 0.0)
                weights += weight
        over = np.divide(weighed, weights, out=np.full(shape, np.nan), where=weights > 0)
        return Paid(total, attainments, over)

    def _component(self, component: Component, row: str, block: slice, drawn: Drawn) -> Floats:
        incentive = self.incentives(component, block)[:, None]
        if component.matrix is not None:
            paid = self._matrix(component, component.matrix, row, block, drawn, incentive)
        else:
            assert component.curve is not None
            paid = self._curve(component, component.curve, row, block, drawn, incentive)
        for gate in reversed(component.gates):  # the first gate that is shut says what is paid
            opened, unknown = np.zeros((1, 1), dtype=bool), np.zeros((1, 1))
            for reference, test, level in gate.any_of:
                seen = self._seen(reference, block, drawn)
                if seen is None:
                    opened = np.ones((1, 1), dtype=bool)
                    continue
                limit = float(level) * self._scale(reference)
                opened = opened | (seen >= limit if test == "at_least" else seen > limit)
                unknown = unknown + seen * 0.0
            shut = self._curve(component, gate.closed, row, block, drawn, incentive) if gate.closed else 0.0
            paid = np.where(opened, paid, shut) + unknown
        for multiplier in component.multipliers:
            seen = self._seen(multiplier.reference, block, drawn)
            if seen is not None:
                starts = [float(start) * self._scale(multiplier.reference) for start, _ in multiplier.rows]
                factors = np.array([float(factor) for _, factor in multiplier.rows])
                paid = paid * factors[_place(starts, seen, multiplier.tie)] + seen * 0.0
        if component.cap is not None:
            most = float(component.cap.value)
            paid = np.minimum(paid, most * (self._per_unit if component.cap.of == MONEY else incentive))
        return paid

    def _curve(
        self, component: Component, curve: Curve, row: str, block: slice, drawn: Drawn, incentive: Floats
    ) -> Floats:
        quota = self.laid.quotas[row][block, None]
        over = np.where(quota > 0, quota, np.nan) if curve.unit == ATTAINMENT else 1.0
        ratio = self.bands[id(curve)].ratio(drawn[row] / over)
        if curve.pays == TARGET_INCENTIVE:
            return ratio * incentive
        if curve.pays == RATE:
            return ratio * (drawn[component.base] if on_base(component) else over)
        return ratio

    def _matrix(
        self, component: Component, matrix: Matrix, row: str, block: slice, drawn: Drawn, incentive: Floats
    ) -> Floats:
        places, unknown = [], np.zeros((1, 1))
        for reference, starts in ((matrix.rows, matrix.row_starts), (matrix.columns, matrix.column_starts)):
            seen = self._seen(reference, block, drawn)
            assert seen is not None  # a component whose matrix nobody can feed is not simulated
            scaled = [float(start) * self._scale(reference) for start in starts]
            places.append(_place(scaled, seen, matrix.tie))
            unknown = unknown + seen * 0.0
        values = np.array([[float(value) for value in line] for line in matrix.values])
        cell = values[places[0], places[1]] + unknown
        if matrix.pays == TARGET_INCENTIVE:
            return cell * incentive
        return cell * (drawn[component.base or row] if matrix.pays == RATE else self._per_unit)

    def _seen(self, reference: Reference, block: slice, drawn: Drawn) -> Floats | None:
        """Return attainment of a component or a measure's value, 0 for who takes no part; None where nobody believes anything of it."""
        row = self.reference_row(reference)
        if row is None:
            return None
        seen = np.where(self.laid.present[row][block, None], drawn[row], 0.0)
        quota = self.laid.quotas[row][block, None]
        return np.divide(seen, quota, out=seen * 0.0, where=quota > 0) if reference.component else seen

    def reference_row(self, reference: Reference) -> str | None:
        """Name the beliefs that a gate, multiplier or matrix looks at; None where nobody believes anything of it."""
        if reference.component:
            return self.row_of(self.plan.components[reference.component])
        fed = [reference.measure, *(c.name for c in self.components if c.measure == reference.measure)]
        return next((name for name in fed if name in self.laid.names), None)

    def _scale(self, reference: Reference) -> int:
        """Minor units in a currency unit where a measure of money is looked at."""
        rule = self.plan.measures.get(reference.measure)
        money = rule is not None and rule.value in MONEY_VALUES and not rule.per
        return self._per_unit if money else 1

    @property
    def _per_unit(self) -> int:
        return minor_per_unit(self.plan.currency)


def on_base(component: Component) -> bool:
    """Tell whether a component pays on another measure than the one that decides where on the curve a payee stands."""
    return component.base not in {"", component.measure}


def _place(starts: list[float], values: Floats, tie: str) -> NDArray[np.int64]:
    """Tell behind which start each value lies; what lies before the first counts as behind it."""
    side: Literal["left", "right"] = "right" if tie == UPPER else "left"
    return np.maximum(np.searchsorted(np.array(starts), values, side=side) - 1, 0)
