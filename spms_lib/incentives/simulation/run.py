"""One pass over the draws: every case is paid for the same performance, and only its results are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.incentives.engine.books import COMPONENT, INCENTIVE, PAYEE, QUOTA
from spms_lib.incentives.simulation.beliefs import TERRITORY, Floats
from spms_lib.incentives.simulation.draws import Performance
from spms_lib.incentives.simulation.factors import Factors
from spms_lib.incentives.simulation.fed import left_out
from spms_lib.incentives.simulation.pay import Evaluator, Paid

PANEL_CELLS: Final = 2**21
HALF_UNIT: Final = 0.5  # pay that differs by less than half a minor unit is the same pay


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a plan pays under beliefs of performance, for one interval of its components.

    Attributes
    ----------
    payees
        Columns payee, territory, quota (of the rows that make the company's result), target_incentive, pay_at_100,
        expected, sd, p10, p50, p90 (pay, minor units), attainment (expected), p_attain (chance of an attainment of
        1; over components weighed by target incentive). Pay is missing where something it needs is not known.
    components
        Columns payee, component, quota, p_attain, attainment (expected).
    cost, result
        Shape (draws,): cost of the payees whose pay is known, and the sum of performance of everybody, by draw.
    pay_panel, attainment_panel
        Shape (n_payees, n): pay in minor units and attainment in the first draws, all payees of a draw together.
    left_out
        Columns plan, component, rule, treatment: what the beliefs cannot carry out, and what is done instead.
    """

    payees: pd.DataFrame
    components: pd.DataFrame
    cost: Floats
    result: Floats
    pay_panel: Floats
    attainment_panel: Floats
    left_out: pd.DataFrame
    factors: Factors
    draws: int
    seed: int

    @property
    def unknown(self) -> int:
        """Number of payees whose pay is not known, and not in the cost."""
        return int(self.payees["expected"].isna().sum())

    @property
    def pay_ratio_panel(self) -> Floats:
        """Pay of the panel in target incentives."""
        incentive = self.payees[INCENTIVE].to_numpy(dtype=float)[:, None]
        return self.pay_panel / np.where(incentive > 0, incentive, np.nan)


@dataclass(frozen=True, eq=False)
class Runs:
    """Simulations that share their draws, and each payee's difference to the first of them.

    Attributes
    ----------
    differences
        By name, for all but the first: columns payee, difference (expected pay less that of the first, minor units),
        low, high (95 % interval of it from the common draws), p_better, p_worse.
    """

    simulations: dict[str, Simulation]
    differences: dict[str, pd.DataFrame]

    @property
    def first(self) -> str:
        """Name of the simulation that the others are compared with."""
        return next(iter(self.simulations))

    def __getitem__(self, name: str) -> Simulation:
        return self.simulations[name]


@dataclass
class _Tally:
    """What is kept of one case while blocks of payees go by."""

    case: Evaluator
    cost: Floats
    payees: list[Floats] = field(default_factory=list)
    chances: dict[str, list[Floats]] = field(default_factory=dict)
    differences: list[Floats] = field(default_factory=list)
    panels: tuple[list[Floats], list[Floats]] = field(default_factory=lambda: ([], []))

    def add(self, paid: Paid, first: Floats | None, kept: int) -> None:
        total = paid.total
        self.cost += np.nansum(total, axis=0)
        low, middle, high = np.quantile(total, (0.1, 0.5, 0.9), axis=1)
        moments = total.mean(axis=1), total.std(axis=1, ddof=1)
        self.payees.append(np.column_stack([*moments, low, middle, high, *_chance(paid.attainment)]))
        for name, ratio in paid.attainments.items():
            self.chances.setdefault(name, []).append(np.column_stack(_chance(ratio)))
        self.panels[0].append(total[:, :kept].copy())
        self.panels[1].append(paid.attainment[:, :kept].copy())
        if first is not None:
            gap = total - first
            error = 1.96 * gap.std(axis=1, ddof=1) / np.sqrt(gap.shape[1])
            mean, known = gap.mean(axis=1), np.where(np.isnan(gap).any(axis=1), np.nan, 1.0)
            better, worse = (gap > HALF_UNIT).mean(axis=1), (gap < -HALF_UNIT).mean(axis=1)
            self.differences.append(
                np.column_stack([mean, mean - error, mean + error, better * known, worse * known])
            )


def run(cases: Mapping[str, Evaluator], performance: Performance) -> Runs:
    """Pay every case for the same draws, block by block of payees, and keep what the results need."""
    laid, draws = performance.laid, performance.draws
    kept = int(min(draws, max(PANEL_CELLS // len(laid.payees), 1)))
    tallies = {name: _Tally(case, np.zeros(draws)) for name, case in cases.items()}
    result = np.zeros(draws)
    for block, drawn in performance.drawn():
        result += np.nansum(drawn[laid.result], axis=0)
        first: Floats | None = None
        for tally in tallies.values():
            paid = tally.case.pay(block, drawn)
            tally.add(paid, first, kept)
            first = paid.total if first is None else first
    simulations = {name: _simulation(name, tally, performance, result) for name, tally in tallies.items()}
    names = ["difference", "low", "high", "p_better", "p_worse"]
    differences = {
        name: pd.DataFrame(np.concatenate(tally.differences), columns=names).assign(payee=laid.payees)
        for name, tally in tallies.items()
        if tally.differences
    }
    return Runs(simulations, differences)


def _simulation(name: str, tally: _Tally, performance: Performance, result: Floats) -> Simulation:
    case, laid = tally.case, tally.case.laid
    names = ["expected", "sd", "p10", "p50", "p90", "p_attain", "attainment"]
    payees = pd.DataFrame(np.concatenate(tally.payees), columns=names)
    incentive = sum((case.incentives(one) for one in case.components), np.zeros(len(laid.payees)))
    head = {
        PAYEE: laid.payees,
        TERRITORY: laid.territories[laid.territory],
        QUOTA: laid.quotas[laid.result],
        INCENTIVE: incentive,
        "pay_at_100": case.at_quota().total[:, 0],
    }
    parts = []
    for component in case.components:
        if component.name in tally.chances:
            table = pd.DataFrame(
                np.concatenate(tally.chances[component.name]), columns=["p_attain", "attainment"]
            )
            row = str(case.row_of(component))
            parts.append(
                table.assign(payee=laid.payees, component=component.name, quota=laid.quotas[row])[
                    laid.present[row]
                ]
            )
    columns = [PAYEE, COMPONENT, QUOTA, "p_attain", "attainment"]
    components = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    pay, attainment = (np.concatenate(panel) for panel in tally.panels)
    return Simulation(
        payees=pd.DataFrame(head).join(payees),
        components=components,
        cost=tally.cost,
        result=result,
        pay_panel=pay,
        attainment_panel=attainment,
        left_out=left_out({name: case}),
        factors=performance.factors,
        draws=performance.draws,
        seed=performance.seed,
    )


def _chance(ratio: Floats) -> tuple[Floats, Floats]:
    """Chance of an attainment of 1, and the expected one; missing where it is not known."""
    mean = ratio.mean(axis=1)
    return np.where(np.isnan(mean), np.nan, (ratio >= 1.0).mean(axis=1)), mean
