"""The words of a compensation plan: measures, components, curves and clauses, held exactly.

A plan has no code of its own. Whatever two plans could do differently (ties, how sales add up,
what a closed gate pays, how cents are rounded) is written in it, with the clause that says so.
Every number is a fraction, because a rate of 0.1 that is really 0.1000000000000000055 costs
somebody a cent.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Final

UPPER, LOWER = "upper", "lower"
TIES: Final = (UPPER, LOWER)

INCREMENTAL, RETROACTIVE, INTERPOLATED, LUMP = "incremental", "retroactive", "interpolated", "lump"
MODES: Final = (INCREMENTAL, RETROACTIVE, INTERPOLATED, LUMP)

ATTAINMENT, MEASURE = "attainment", "measure"
UNITS: Final = (ATTAINMENT, MEASURE)  # what tiers are stated in: measure / quota, or the measure's own unit

TARGET_INCENTIVE, RATE, MONEY = "target_incentive", "rate", "money"
PAYS: Final = (TARGET_INCENTIVE, RATE, MONEY)  # what the values of tiers are

MONTH, QUARTER, YEAR = "month", "quarter", "year"
INTERVALS: Final = (MONTH, QUARTER, YEAR)

INTERVAL, TRANSACTION = "interval", "transaction"
ACCUMULATES: Final = (INTERVAL, TRANSACTION)

WHOLE, TO_DATE = "whole", "to_date"
AGAINST: Final = (WHOLE, TO_DATE)  # the quota of the whole interval, or of its periods so far

HALF_UP, HALF_EVEN = "half_up", "half_even"
HALVES: Final = (HALF_UP, HALF_EVEN)

PRORATES: Final = ("both", "quota", "target_incentive", "none")

AMOUNT, UNIT_COUNT, MARGIN, COUNT, SCORE = "amount", "units", "margin", "count", "score"
VALUES: Final = (AMOUNT, UNIT_COUNT, MARGIN, COUNT, SCORE)
MONEY_VALUES: Final = (AMOUNT, MARGIN)
SCORE_SCALE: Final = 1_000_000  # a score of 1 is held as a million, so that 0.755 is whole


@dataclass(frozen=True, slots=True)
class Clause:
    """Where a rule of the plan is written down.

    Attributes
    ----------
    number
        Number of the clause in the plan document, such as `4.2`.
    description
        What it means for a payee, in one sentence.
    source
        Document, where it is not the plan's own.
    """

    number: str = ""
    description: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a credit: a column, how it is compared, and with what.

    Attributes
    ----------
    column
        Column of the credit table, such as `product`, `date` or `term_months`.
    test
        `in`, `not_in`, `at_least`, `more_than`, `at_most`, `less_than`.
    values
        Texts, fractions (money in currency units) or dates; one of them unless `in` or `not_in`.
    """

    column: str
    test: str
    values: tuple[str | Fraction | dt.date, ...]


@dataclass(frozen=True, slots=True)
class MeasureRule:
    """What is counted: which credits, and which of their columns.

    Attributes
    ----------
    name
        Name of the measure in this plan; components, gates and multipliers refer to it.
    value
        `amount` or `margin` (money, minor units), `units` (whole pieces), `count` (one per
        credit) or `score` (1 is fully met).
    per
        Divide by this value for a ratio, such as margin per amount; empty for none. A ratio
        can stand in gates, multipliers and matrices, and drive retroactive and lump tiers.
    credit_types
        Kinds of credit that count; empty for all.
    where
        Further tests; a credit counts if it passes all.
    """

    name: str
    value: str = AMOUNT
    per: str = ""
    credit_types: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class Tier:
    """One band of performance and what it pays.

    Attributes
    ----------
    start, end
        Where the band starts and ends, in the curve's unit; an end of None is open.
    value
        `incremental`: rate for the part inside the band. `retroactive`: rate for everything
        once the band is reached. `interpolated`: amount for the whole band, earned pro rata.
        `lump`: the amount paid while in this band.
    mode
        How the value is meant.
    """

    start: Fraction
    end: Fraction | None
    value: Fraction
    mode: str = INCREMENTAL


@dataclass(frozen=True, slots=True)
class Step:
    """Pay for every whole step of performance, such as 10 for each full 1,000."""

    every: Fraction
    pays: Fraction


@dataclass(frozen=True, slots=True)
class Curve:
    """What performance pays: tiers, or a repeating step.

    Attributes
    ----------
    unit
        `attainment` (measure / quota, 1 is 100 %) or `measure` (currency units, pieces, score).
    pays
        `target_incentive`: values are multiples of the component's target incentive.
        `rate`: values are shares of the money that the measure (or the base) counts.
        `money`: values are currency units.
    tie
        Performance exactly on a start belongs to the `upper` or the `lower` band. Sources of
        the trade differ, so a plan must say it.
    tiers
        Bands in rising order without gaps. Performance below the first start continues the
        first band (a return takes back what the sale had paid) unless it is a lump.
    step
        A repeating step instead of tiers.
    threshold
        Performance below which nothing is paid; from it on the whole curve pays (a cliff).
    """

    unit: str
    pays: str
    tie: str
    tiers: tuple[Tier, ...] = ()
    step: Step | None = None
    threshold: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A measure that another rule looks at.

    Attributes
    ----------
    component
        Component whose attainment (measure / quota) is meant; empty where `measure` is given.
    measure
        Measure whose own value is meant.
    over
        `interval` of the component that looks, or `month`, `quarter`, `year`: how far back it adds up.
    """

    component: str = ""
    measure: str = ""
    over: str = INTERVAL


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition on other performance, without which a component pays less.

    Attributes
    ----------
    any_of
        Tests of which one must hold: (reference, `at_least` or `more_than`, level).
    closed
        What is paid instead while the gate is closed: another curve, or None for nothing.
    """

    any_of: tuple[tuple[Reference, str, Fraction], ...]
    closed: Curve | None = None
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A factor on a component's pay that another measure decides: rows of (start, factor), rising."""

    reference: Reference
    tie: str
    rows: tuple[tuple[Fraction, Fraction], ...]
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class Matrix:
    """Pay by two measures at once: a table of values with rising starts of rows and columns.

    The component pays the cell's value (as the curve's `pays` says, on its base) while both
    measures are in its row and column.
    """

    rows: Reference
    columns: Reference
    row_starts: tuple[Fraction, ...]
    column_starts: tuple[Fraction, ...]
    values: tuple[tuple[Fraction, ...], ...]
    pays: str
    tie: str


@dataclass(frozen=True, slots=True)
class Kicker:
    """More pay for some deals: their base counts `factor` times; the measure, and so the tier, does not change.

    Attributes
    ----------
    first
        Only the first so many deals of an interval that pass (by date, then the larger);
        None for all of them.
    """

    where: tuple[Condition, ...]
    factor: Fraction
    first: int | None = None
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that one interval of a component pays.

    Attributes
    ----------
    value
        Multiple of the component's target incentive, or currency units.
    of
        `target_incentive` or `money`.
    """

    value: Fraction
    of: str
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class TrueUp:
    """At the end of a longer interval its whole performance is paid by the same curve, less what was paid.

    Attributes
    ----------
    interval
        `quarter` or `year`, longer than the component's own.
    cap
        Cap of the longer interval; None for none (the component's own cap does not apply to it).
    """

    interval: str
    cap: Cap | None = None
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class Windfall:
    """Limits beyond which a deal is put before a person instead of being paid as usual.

    Each limit is None where the plan has none. A deal is flagged by its value or its
    commission (currency units), or its commission by the year's target incentive, or its value by the year's quota.
    """

    deal_value_over: Fraction | None = None
    commission_over: Fraction | None = None
    share_of_target_incentive_over: Fraction | None = None
    share_of_quota_over: Fraction | None = None
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a plan: a measure, what its performance pays, and what changes that.

    Attributes
    ----------
    name
        Name in the plan and on statements.
    measure
        Name of the measure that decides where on the curve a payee stands.
    base
        Name of the measure that is paid on, where it is another one (tiers by pieces, pay on
        money); empty where it is the same.
    curve
        What performance pays; None where a matrix says it.
    interval
        `month`, `quarter` or `year`: the measure starts again from zero. An interval longer
        than the pay period is paid as it grows (QTD, YTD): what is due so far, less what was paid.
    accumulate
        `interval`: performance adds up within the interval. `transaction`: each credit goes
        through the curve alone.
    against
        `whole`: attainment and target incentive are of the whole interval. `to_date`: of
        its periods so far, so a month is judged against the months passed.
    weight
        Share of the payee's target incentive; weights of a plan sum to 1. None for a component
        that pays on top of it (a SPIF, a commission).
    pays_from, pays_to
        Days between which its credits count (a SPIF's window); None for the plan's whole life.
    deal_cap
        Most that one credit pays, currency units.
    prorate
        What shrinks for a payee who takes part for some of the days: `both`, `quota`,
        `target_incentive` or `none`.
    """

    name: str
    measure: str
    curve: Curve | None
    interval: str
    base: str = ""
    matrix: Matrix | None = None
    accumulate: str = INTERVAL
    against: str = WHOLE
    weight: Fraction | None = None
    gates: tuple[Gate, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    kickers: tuple[Kicker, ...] = ()
    cap: Cap | None = None
    deal_cap: Fraction | None = None
    true_up: TrueUp | None = None
    windfall: Windfall | None = None
    pays_from: dt.date | None = None
    pays_to: dt.date | None = None
    prorate: str = "both"
    clause: Clause = Clause()


@dataclass(frozen=True, slots=True)
class Rounding:
    """How an amount becomes money: to multiples of `to` (currency units; None for the minor unit), halves `half_up` or `half_even`."""

    to: Fraction | None = None
    half: str = HALF_UP


@dataclass(frozen=True, slots=True)
class CompensationPlan:
    """A compensation plan as its document states it, one version of it.

    Attributes
    ----------
    name, version
        Which plan, and which issue of it.
    currency
        ISO 4217 code of every amount in it.
    effective_from, effective_to
        First and last day on which this version holds; None for until a later one starts.
    pay_mix
        Share of on-target earnings that is base salary; None where the roster states target incentives.
    measures, components
        By name, in the order of the document.
    blocks
        The plan's further blocks, as plain values, by name: `crediting`, `payment`, `forecast_incentive`, `awards`.
        The package that carries one out reads it.
    """

    name: str
    currency: str
    effective_from: dt.date
    measures: Mapping[str, MeasureRule]
    components: Mapping[str, Component]
    version: str = ""
    effective_to: dt.date | None = None
    pay_mix: Fraction | None = None
    rounding: Rounding = Rounding()
    clause: Clause = Clause()
    blocks: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
