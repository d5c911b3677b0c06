"""A pay run: what a plan owes every payee for every month, to the cent, and what late credits change."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PlanError
from spms_lib.incentives.engine.books import (
    COMPONENT,
    CREDIT,
    INCENTIVE,
    OUTSIDE,
    PAYEE,
    QUOTA,
    Books,
    Targets,
    distinct,
    open_books,
    target_matrices,
)
from spms_lib.incentives.engine.component import REASONS, Setting, Stand, settings_of, stand
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.engine.figures import Figures, figures_of
from spms_lib.incentives.engine.lines import line_totals
from spms_lib.incentives.engine.spans import last_columns
from spms_lib.incentives.plan.hashed import plan_hash
from spms_lib.incentives.plan.model import VALUES, CompensationPlan
from spms_lib.money import minor_per_unit
from spms_lib.tables import PERIOD, need

ENGINE: Final = "1"  # raised with every change of what a plan pays
EARNED: Final = "earned"
REASON: Final = "reason"


@dataclass(frozen=True)
class Run:
    """What a plan owes.

    Attributes
    ----------
    earned
        By component: minor units by payee and month; 0 where a reason says it cannot be known.
    reason
        By component: number of the reason in `component.REASONS`; 0 for none.
    """

    plan: CompensationPlan
    books: Books
    figures: Figures
    settings: Mapping[str, Setting]
    earned: Mapping[str, Ints]
    reason: Mapping[str, NDArray[np.int8]]

    def __repr__(self) -> str:
        payees, months = self.books.shape
        return f"<Run of {self.plan.name}: {payees} payees, {months} months, {len(self.books.row)} credits>"

    def earnings(self) -> pd.DataFrame:
        """List what was earned: payee, component, period, earned (Int64, null where unknown), reason (text)."""
        payees, months = self.books.shape
        names = list(self.earned)
        reasons = np.concatenate([self.reason[name].ravel() for name in names])
        amounts = np.concatenate([self.earned[name].ravel() for name in names])
        return pd.DataFrame(
            {
                PAYEE: _labels(np.tile(np.repeat(np.arange(payees), months), len(names)), self.books.payees),
                COMPONENT: _labels(np.repeat(np.arange(len(names)), payees * months), pd.Index(names)),
                PERIOD: _labels(
                    np.tile(np.arange(months), payees * len(names)), pd.Index(self.books.periods)
                ),
                EARNED: pd.arrays.IntegerArray(amounts, reasons > 0),
                REASON: _labels(reasons, pd.Index(REASONS)),
            }
        )

    def total(self) -> Ints:
        """Sum the components: minor units by payee and month, for the payment layer."""
        return sum(self.earned.values(), np.zeros(self.books.shape, dtype=np.int64))

    def unused(self) -> pd.DataFrame:
        """List the credits that no component counts, or that lie in no month of the run; nothing is left out silently."""
        counted = np.zeros(len(self.books.row), dtype=bool)
        for part in self.plan.components.values():
            for name in (part.measure, part.base) if part.base else (part.measure,):
                counted |= self.books.passing(
                    self.plan.measures[name],
                    part.pays_from or self.plan.effective_from,
                    part.pays_to or self.plan.effective_to,
                )
        outside = self.books.column == OUTSIDE
        why = np.where(outside, "in no month of the run", "counted by no component")
        return self.books.credits[~counted].assign(why=why[~counted])

    def stand(self, payee: str) -> tuple["Run", dict[str, Stand]]:
        """Work one payee out again with everything that explains the pay, by component."""
        found = self.only([payee])
        return found, found.stands()

    def stands(self) -> dict[str, Stand]:
        """Work everybody out again with everything that explains the pay, by component."""
        return {
            name: _stand(setting, self.plan, self.books, self.figures)
            for name, setting in self.settings.items()
        }

    def only(self, payees: Sequence[str]) -> "Run":
        """Keep some payees, with their credits."""
        chosen = self.books.payees.get_indexer(pd.Index(list(payees)))
        if (chosen < 0).any():
            raise PlanError(
                f"Nobody is called '{payees[int(np.argmin(chosen))]}'.",
                where=f"run of plan '{self.plan.name}'",
                remedy="Use a payee of the credits or the targets.",
            )
        if len(chosen) == 1:
            rows = np.flatnonzero(self.books.row == chosen[0])
        else:
            inside = np.zeros(len(self.books.payees), dtype=bool)
            inside[chosen] = True
            rows = np.flatnonzero(inside[self.books.row])
        return replace(
            self,
            books=self.books.only(rows, chosen),
            figures=self.figures.of(chosen),
            earned={name: part[chosen] for name, part in self.earned.items()},
            reason={name: part[chosen] for name, part in self.reason.items()},
        )

    def with_late(self, late: pd.DataFrame) -> "Run":
        """Work out again the payees whom late credits touch, and only them.

        Parameters
        ----------
        late
            Credits with the columns of the run's own; a payee without targets of their own is
            a new run's, not a late credit's.

        Returns
        -------
        Run
            Of those payees alone, late credits included. What differs from `only` of the same
            payees is posted to the open period; closed ones stay as they are.
        """
        before = self.only(sorted({str(payee) for payee in late[PAYEE]}))
        books = open_books(
            pd.concat([before.books.credits, late], ignore_index=True),
            payees=before.books.payees,
            periods=self.books.periods,
            calendar=self.books.calendar,
            per_unit=self.books.per_unit,
        )
        return _run(self.plan, books, before.figures.targets, self.settings)

    def without(self, credit: str) -> "Run":
        """Work out again, as if a credit had never been, the payees it was credited to, and only them."""
        mine = (self.books.credits[CREDIT] == credit).to_numpy()
        if not mine.any():
            raise PlanError(
                f"There is no credit '{credit}'.",
                where=f"run of plan '{self.plan.name}'",
                remedy="Use a name from the column 'credit' of the credits.",
            )
        before = self.only(self.books.payees[np.unique(self.books.row[mine])].tolist())
        kept = np.flatnonzero((before.books.credits[CREDIT] != credit).to_numpy())
        books = before.books.only(kept, np.arange(len(before.books.payees)))
        return _run(self.plan, books, before.figures.targets, self.settings)

    def under(self, plan: CompensationPlan) -> "Run":
        """Pay the same credits by another plan; its components have the targets that those of the same name had."""
        if plan.currency != self.plan.currency:
            raise PlanError(
                f"It pays in {plan.currency}, the credits are in {self.plan.currency}.",
                where=f"plan '{plan.name}'",
                remedy="Compare plans of one currency.",
            )
        zero, none = np.zeros(self.books.shape, dtype=np.int64), np.zeros(self.books.shape, dtype=bool)
        targets = {
            name: self.figures.targets.get(name, Targets(zero, none, zero, none)) for name in plan.components
        }
        return _run(plan, self.books, targets, _settings(plan, self.books))

    def run_hash(self) -> str:
        """Identify the run by its inputs, its plan and the engine; the same three give the same hash anywhere."""
        mark = hashlib.sha256(f"{ENGINE}|{plan_hash(self.plan)}|{self.books.periods}".encode())
        mark.update(frame_hash(self.books.credits).encode())
        mark.update("|".join(self.books.payees).encode())
        for targets in self.figures.targets.values():
            for part in targets:
                mark.update(np.ascontiguousarray(part).tobytes())
        return mark.hexdigest()


def differing(before: Run, after: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List what two runs of the same payees and months owe differently: payee, component, period, earned, of each.

    What `payments.adjust.adjustments` posts; cells on which both agree are left out, unknown counts as 0.

    Raises
    ------
    PlanError
        If the runs are not of the same payees and months.
    """
    if before.books.periods != after.books.periods or not before.books.payees.equals(after.books.payees):
        raise PlanError(
            "The runs are of other payees or months.", where="differing", remedy="Run both for everybody."
        )
    parts: tuple[list[pd.DataFrame], list[pd.DataFrame]] = ([], [])
    for name in before.earned.keys() | after.earned.keys():
        nothing = np.zeros(before.books.shape, dtype=np.int64)
        old, new = before.earned.get(name, nothing), after.earned.get(name, nothing)
        row, column = np.nonzero(old != new)
        for amounts, frames in zip((old, new), parts, strict=True):
            frames.append(
                pd.DataFrame(
                    {
                        PAYEE: before.books.payees[row],
                        COMPONENT: name,
                        PERIOD: pd.Index(before.books.periods)[column],
                        EARNED: amounts[row, column],
                    }
                )
            )
    return pd.concat(parts[0], ignore_index=True), pd.concat(parts[1], ignore_index=True)


def pay_run(
    plan: CompensationPlan,
    credits: pd.DataFrame,  # noqa: A002
    targets: pd.DataFrame,
    *,
    periods: Sequence[str],
    calendar: FiscalCalendar | None = None,
    per_unit: int | None = None,
) -> Run:
    """Work out what a plan owes every payee for every month.

    Parameters
    ----------
    credits
        One row per credit: credit, payee, date, and whatever the plan's measures look at: amount
        and margin (whole minor units), units (whole), score, credit_type, product ...;
        `reverses` names the credit that one takes back.
    targets
        payee, component, period (a month; a quarter or year stands for its sum), quota and
        target_incentive of that period (whole minor units; the quota of a measure that is not money in its own units).
    periods
        Consecutive months, from the start of the longest interval on.
    per_unit
        Minor units in a currency unit; the currency's own if None.

    Raises
    ------
    TableError, PeriodError, MoneyError
        If a column is missing or empty, the months begin inside an interval, or money overflows.

    Examples
    --------
    >>> from spms_lib.incentives.plan.read import plan_from_dict
    >>> plan = plan_from_dict({"plan": "AE", "currency": "EUR", "effective_from": "2026-01-01",
    ...     "measures": {"sales": {"value": "amount"}},
    ...     "components": [{"component": "commission", "measure": "sales", "interval": "quarter", "weight": 1,
    ...         "unit": "attainment", "pays": "target_incentive", "tie": "upper",
    ...         "tiers": [{"from": 0, "to": 1, "value": 1}, {"from": 1, "value": "1.5"}]}]})
    >>> credits = pd.DataFrame({"credit": ["a", "b"], "payee": "ann", "amount": [100_00, 30_00],
    ...     "date": pd.to_datetime(["2026-01-15", "2026-03-31"])})
    >>> targets = pd.DataFrame({"payee": ["ann"], "component": ["commission"], "period": ["2026Q1"],
    ...     "quota": [100_00], "target_incentive": [1_000_00]})
    >>> run = pay_run(plan, credits, targets, periods=["2026-01", "2026-02", "2026-03"])
    >>> run.earnings()["earned"].tolist()
    [100000, 0, 45000]
    """
    calendar = calendar or FiscalCalendar()
    per_unit = minor_per_unit(plan.currency) if per_unit is None else per_unit
    need(targets, [PAYEE, COMPONENT, PERIOD, QUOTA, INCENTIVE], "targets")
    books = open_books(
        credits, payees=distinct(targets[PAYEE]), periods=periods, calendar=calendar, per_unit=per_unit
    )
    laid_out = {name: target_matrices(targets, name, books) for name in plan.components}
    return _run(plan, books, laid_out, _settings(plan, books))


def _settings(plan: CompensationPlan, books: Books) -> dict[str, Setting]:
    scale = {value: books.scale(value) for value in VALUES}
    return settings_of(plan, per_unit=books.per_unit, scale=scale)


def _run(
    plan: CompensationPlan, books: Books, targets: Mapping[str, Targets], settings: Mapping[str, Setting]
) -> Run:
    figures = figures_of(plan, books, targets)
    earned: dict[str, Ints] = {}
    reason: dict[str, NDArray[np.int8]] = {}
    for name, setting in settings.items():
        found = _stand(setting, plan, books, figures)
        earned[name], reason[name] = found.earned, found.at.reason
    return Run(plan, books, figures, settings, earned, reason)


def _stand(setting: Setting, plan: CompensationPlan, books: Books, figures: Figures) -> Stand:
    true_up = setting.component.true_up
    ends = last_columns(books.periods, true_up.interval, books.calendar) if true_up else []
    return stand(setting, figures, line_totals(setting, plan, books, figures), ends)


def frame_hash(frame: pd.DataFrame) -> str:
    """Hash a frame's values by column name, whatever the order of its columns and the kind of its text."""
    mark = hashlib.sha256()
    for name in sorted(map(str, frame.columns)):
        column = frame[name]
        text = isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype) or column.dtype == object
        mark.update(name.encode())
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = pd.util.hash_array(column.cat.categories.to_numpy(dtype=object))
            mark.update(np.append(codes, np.uint64(0))[column.cat.codes.to_numpy()].tobytes())
        else:
            mark.update(pd.util.hash_array(column.to_numpy(dtype=object if text else None)).tobytes())
    return mark.hexdigest()


def _labels(codes: NDArray[np.integer[Any]], names: pd.Index) -> "pd.Categorical[Any]":
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(names))
