"""The books of a run: credits and targets coded into whole-number matrices of payees and months."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import TableError
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.plan.model import (
    COUNT,
    MONEY_VALUES,
    SCORE,
    SCORE_SCALE,
    Condition,
    MeasureRule,
)
from spms_lib.tables import PERIOD, need

CREDIT: Final = "credit"
PAYEE: Final = "payee"
DATE: Final = "date"
CREDIT_TYPE: Final = "credit_type"
REVERSES: Final = "reverses"
COMPONENT: Final = "component"
QUOTA: Final = "quota"
INCENTIVE: Final = "target_incentive"
OUTSIDE: Final = -1

_TESTS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "at_least": lambda column, value: column >= value,
    "more_than": lambda column, value: column > value,
    "at_most": lambda column, value: column <= value,
    "less_than": lambda column, value: column < value,
}
_EXACT_IN_FLOAT: Final = 2**53


@dataclass(frozen=True)
class Books:
    """Credits of a run, each with the number of its payee and of its month.

    Attributes
    ----------
    payees
        Everybody with a credit or a target, sorted.
    row, column
        Number of each credit's payee and month; `OUTSIDE` where the month is not one of the run's.
    """

    payees: pd.Index
    periods: tuple[str, ...]
    calendar: FiscalCalendar
    per_unit: int
    credits: pd.DataFrame
    row: NDArray[np.int32]
    column: NDArray[np.int16]

    @property
    def shape(self) -> tuple[int, int]:
        """Payees and months."""
        return len(self.payees), len(self.periods)

    def scale(self, value: str) -> int:
        """Raw units in one unit of a credit's column: minor units, pieces, or millionths of a score."""
        return self.per_unit if value in MONEY_VALUES else SCORE_SCALE if value == SCORE else 1

    def values(self, value: str, rows: NDArray[np.intp] | slice = slice(None)) -> Ints:
        """Read a column of the credits as whole numbers."""
        if value == COUNT:
            return np.ones(len(self.row), dtype=np.int64)[rows]
        need(self.credits, [value], "credits")
        column = self.credits[value].iloc[rows]
        if column.isna().any():
            raise TableError(
                f"{int(column.isna().sum())} credits have no {value}.",
                where="credits",
                remedy="Take them out as findings, or state 0 where nothing is meant.",
            )
        if value == SCORE:
            column = (column.astype("float64") * SCORE_SCALE).round()
        whole: Ints = column.to_numpy(dtype=np.int64)
        return whole

    def passing(self, rule: MeasureRule, first: dt.date | None, last: dt.date | None) -> NDArray[np.bool_]:
        """Tell which credits a measure counts, between two days."""
        passed: NDArray[np.bool_] = self.column != OUTSIDE
        if rule.credit_types:
            passed &= self._of(CREDIT_TYPE, lambda column: column.isin(rule.credit_types))
        for condition in rule.where:
            passed &= self.meets(condition)
        days = self.credits[DATE].to_numpy()
        if first is not None:
            passed &= days >= np.datetime64(first)
        if last is not None:
            passed &= days < np.datetime64(last) + np.timedelta64(1, "D")
        return passed

    def meets(self, condition: Condition) -> NDArray[np.bool_]:
        """Tell which credits meet a condition; one without the value does not."""
        money = self.per_unit if condition.column in MONEY_VALUES else 1
        values = [_plain(value, money) for value in condition.values]
        if condition.test in {"in", "not_in"}:
            inside = self._of(condition.column, lambda column: column.isin(values))
            return inside if condition.test == "in" else ~inside
        compare = _TESTS[condition.test]
        return self._of(condition.column, lambda column: compare(column, values[0]))

    def sums(self, value: str, passed: NDArray[np.bool_]) -> Ints:
        """Add up a column by payee and month, exactly; shape (n_payees, n_periods)."""
        chosen = np.flatnonzero(passed)
        numbers = self.values(value, chosen)
        cell = self.row[chosen].astype(np.int64) * len(self.periods) + self.column[chosen]
        size = len(self.payees) * len(self.periods)
        if int(np.abs(numbers).max(initial=0)) * max(len(numbers), 1) < _EXACT_IN_FLOAT or (
            np.abs(numbers).astype(np.float64).sum() < _EXACT_IN_FLOAT
        ):
            total = np.bincount(cell, weights=numbers, minlength=size).astype(np.int64)
        else:
            total = np.zeros(size, dtype=np.int64)
            np.add.at(total, cell, numbers)
        return total.reshape(self.shape)

    def only(self, rows: NDArray[np.intp], payees: NDArray[np.intp]) -> "Books":
        """Keep some credits and some payees."""
        number = np.full(len(self.payees), -1, dtype=np.int32)
        number[payees] = np.arange(len(payees), dtype=np.int32)
        return replace(
            self,
            payees=self.payees[payees],
            credits=self.credits.iloc[rows],
            row=number[self.row[rows]],
            column=self.column[rows],
        )

    def _of(self, name: str, test: Callable[[pd.Series], pd.Series]) -> NDArray[np.bool_]:
        need(self.credits, [name], "credits")
        column = self.credits[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            holds: NDArray[np.bool_] = np.append(_truth(test(pd.Series(column.cat.categories))), False)
            found: NDArray[np.bool_] = np.take(holds, column.cat.codes.to_numpy())
            return found
        return _truth(test(column))


def open_books(
    credits: pd.DataFrame,  # noqa: A002
    *,
    payees: Iterable[object],
    periods: Sequence[str],
    calendar: FiscalCalendar,
    per_unit: int,
) -> Books:
    """Code credits by payee and month.

    Parameters
    ----------
    payees
        Those who have targets; whoever has credits is added.

    Raises
    ------
    TableError
        If a column is missing, or a day or payee of a credit.
    """
    need(credits, [CREDIT, PAYEE, DATE], "credits")
    for name in (PAYEE, DATE):
        if credits[name].isna().any():
            raise TableError(
                f"{int(credits[name].isna().sum())} credits have no {name}.",
                where="credits",
                remedy="Take them out as findings.",
            )
    everybody = pd.Index(sorted({str(name) for name in (*distinct(credits[PAYEE]), *payees)}))
    return Books(
        payees=everybody,
        periods=tuple(periods),
        calendar=calendar,
        per_unit=per_unit,
        credits=credits,
        row=_numbers(credits[PAYEE], everybody),
        column=month_numbers(credits[DATE], periods, calendar),
    )


def month_numbers(days: pd.Series, periods: Sequence[str], calendar: FiscalCalendar) -> NDArray[np.int16]:
    """Find the number of the month of each day among the run's, from 0; `OUTSIDE` for a day of none of them."""
    first = np.datetime64(calendar.start(periods[0]), "D")
    lengths = [(calendar.end(period) - calendar.start(period)).days + 1 for period in periods]
    of_day = np.repeat(np.arange(len(periods), dtype=np.int16), lengths)
    day = (days.to_numpy().astype("datetime64[D]") - first).astype(np.int64)
    inside = (day >= 0) & (day < len(of_day))
    return np.where(inside, of_day[np.where(inside, day, 0)], np.int16(OUTSIDE)).astype(np.int16)


class Targets(NamedTuple):
    """Quota and target incentive of a component by payee and month, and where each is stated."""

    quota: Ints
    has_quota: NDArray[np.bool_]
    incentive: Ints
    has_incentive: NDArray[np.bool_]

    def of(self, payees: NDArray[np.intp]) -> "Targets":
        """Keep some payees."""
        return Targets(
            self.quota[payees], self.has_quota[payees], self.incentive[payees], self.has_incentive[payees]
        )


def target_matrices(targets: pd.DataFrame, component: str, books: Books) -> Targets:
    """Lay a component's targets out by payee and month; those of a quarter or year stand in its first month."""
    chosen = targets[(targets[COMPONENT] == component).to_numpy()]
    column = {period: number for number, period in enumerate(books.periods)}
    labels = distinct(chosen[PERIOD])
    first = pd.Series(
        [column.get(books.calendar.months(str(label))[0], OUTSIDE) for label in labels], index=labels
    )
    columns = chosen[PERIOD].map(first).to_numpy(dtype=np.int64)
    cell = _numbers(chosen[PAYEE], books.payees).astype(np.int64) * len(books.periods) + columns
    quota = _laid_out(chosen[QUOTA], cell, columns, books.shape)
    return Targets(*quota, *_laid_out(chosen[INCENTIVE], cell, columns, books.shape))


def _laid_out(
    amounts: pd.Series, cell: Ints, columns: NDArray[Any], shape: tuple[int, int]
) -> tuple[Ints, NDArray[np.bool_]]:
    stated = amounts.notna().to_numpy() & (columns != OUTSIDE)
    laid_out = np.zeros(shape[0] * shape[1], dtype=np.int64)
    np.add.at(laid_out, cell[stated], amounts[stated].to_numpy(dtype=np.int64))
    known = np.zeros(len(laid_out), dtype=bool)
    known[cell[stated]] = True
    return laid_out.reshape(shape), known.reshape(shape)


def _plain(value: str | Fraction | dt.date, money: int) -> Any:
    if isinstance(value, Fraction):
        scaled = value * money
        return int(scaled) if scaled.denominator == 1 else float(scaled)
    return pd.Timestamp(value) if isinstance(value, dt.date) else value


def _truth(holds: pd.Series) -> NDArray[np.bool_]:
    return holds.fillna(value=False).to_numpy(dtype=bool)


def distinct(column: pd.Series) -> Any:
    """List the different values of a column."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column.unique()
    used = np.bincount(
        column.cat.codes.to_numpy().astype(np.int64) + 1, minlength=len(column.cat.categories) + 1
    )
    return column.cat.categories[used[1:] > 0]


def _numbers(column: pd.Series, payees: pd.Index) -> NDArray[np.int32]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return payees.get_indexer(column.cat.categories.astype(str)).astype(np.int32)[
            column.cat.codes.to_numpy()
        ]
    codes, names = pd.factorize(column)
    return payees.get_indexer(pd.Index(names).astype(str)).astype(np.int32)[codes]
