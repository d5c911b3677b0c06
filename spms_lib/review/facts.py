"""What a review knows, gathered once; the scorecard and the summary both read it."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import pandas as pd

from spms_lib.errors import TableError
from spms_lib.review.accuracy import USED
from spms_lib.review.decisions import OPEN
from spms_lib.review.pipeline import AMOUNT, REMAINING, REQUIRED_RATIO
from spms_lib.tables import SOURCE, need

TOTAL_PAYOUT: Final = "total_payout"
TOTAL_TARGET_INCENTIVE: Final = "total_target_incentive"
COST_OF_SALES_RATIO: Final = "cost_of_sales_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """The numbers and tables of one review; all but the first four may be missing.

    Attributes
    ----------
    scope
        Name of the node under review.
    member
        What one leaf of it is called, such as seller.
    period
        Name of the period, as printed.
    as_of
        Last day whose results are known.
    period_end
        Last day of the period; the period is complete from that day on.
    actual, plan
        Result and plan in minor units. While the period runs, both *to date*.
    last_year
        Result of the same days last year.
    landing, plan_of_period
        Projected result, and plan of the whole period, while the period runs.
    children
        Result of `variance_by_node` for the scope.
    shape
        Result of `shape_summary`.
    measured
        Result of `accuracy` by source.
    forecast
        Which source of `measured` is the forecast under review.
    covered
        Result of `coverage` for the scope, or for nodes that do not contain each other.
    cost
        Table metric, value of what the compensation plan costs.
    submissions_received, submissions_expected
        Forecasts that came in, and that were asked for.
    outcomes
        Result of `decision_outcomes`.
    rows_in, rows_rejected
        Data rows read, and left out with a finding.
    """

    scope: str
    period: str
    as_of: dt.date
    period_end: dt.date
    member: str = "node"
    actual: int | None = None
    plan: int | None = None
    last_year: int | None = None
    landing: int | None = None
    plan_of_period: int | None = None
    children: pd.DataFrame | None = None
    shape: pd.Series | None = None
    measured: pd.DataFrame | None = None
    forecast: str = "commit"
    covered: pd.DataFrame | None = None
    cost: pd.DataFrame | None = None
    submissions_received: int | None = None
    submissions_expected: int | None = None
    outcomes: pd.DataFrame | None = None
    rows_in: int | None = None
    rows_rejected: int | None = None

    @property
    def complete(self) -> bool:
        """True where the period is over."""
        return self.as_of >= self.period_end

    def accuracy_of(self, name: str) -> float | None:
        """Look up one measure of the forecast under review; None where there is nothing to measure."""
        if self.measured is None:
            return None
        need(self.measured, [SOURCE, name], "accuracy")
        row = self.measured[self.measured[SOURCE] == self.forecast]
        if len(row) > 1:
            raise TableError(
                f"Accuracy of '{self.forecast}' has {len(row)} rows.",
                where="review",
                remedy="Measure it by source only.",
            )
        return None if row.empty or not row[USED].iloc[0] else known(row[name].iloc[0])

    def pay(self, name: str) -> float | None:
        """Look up one metric of the cost table; None where it is not there."""
        if self.cost is None:
            return None
        need(self.cost, ["metric", "value"], "cost")
        row = self.cost["value"][self.cost["metric"] == name]
        return None if row.empty else known(row.iloc[0])

    def coverage(self) -> tuple[float | None, float | None]:
        """Add up coverage: open pipeline / remaining quota, and the same as required.

        Only nodes with quota left, and with known pipeline, count; required is None where any of
        them has no win rate.
        """
        if self.covered is None:
            return None, None
        need(self.covered, [REMAINING, AMOUNT, REQUIRED_RATIO], "coverage")
        rows = self.covered[(self.covered[REMAINING] > 0).fillna(value=False) & self.covered[AMOUNT].notna()]
        left = float(rows[REMAINING].sum())
        if not left:
            return None, None
        required = (rows[REQUIRED_RATIO] * rows[REMAINING].astype("float64")).sum(skipna=False) / left
        return float(rows[AMOUNT].sum()) / left, known(required)

    def shape_of(self, name: str) -> float | None:
        """Look up one number of the attainment shape; None where it is not known."""
        return None if self.shape is None else known(self.shape.get(name))

    def decisions_open(self) -> int | None:
        """Count open decisions."""
        return None if self.outcomes is None else int((self.outcomes["status"] == OPEN).sum())

    def decisions_overdue(self) -> int | None:
        """Count overdue decisions."""
        return None if self.outcomes is None else int(self.outcomes["overdue"].sum())


def known(value: object) -> float | None:
    """Turn a missing number into None."""
    return None if value is None or pd.isna(value) else float(value)  # type: ignore[arg-type, call-overload]
