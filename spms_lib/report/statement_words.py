"""A statement in words and tables: every amount, rate and rule as the payee reads it."""

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final, NamedTuple

import pandas as pd

from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    COUNT,
    INTERPOLATED,
    LUMP,
    MONEY,
    MONEY_VALUES,
    MONTH,
    RATE,
    RETROACTIVE,
    TARGET_INCENTIVE,
    UNIT_COUNT,
)
from spms_lib.incentives.statements.rules import SHARE
from spms_lib.incentives.statements.statement import Statement
from spms_lib.incentives.statements.tiers import CELL, STEP
from spms_lib.money import MISSING
from spms_lib.report.cells import label_of, money_text, number_text, ratio_text
from spms_lib.tables import PERIOD

PASSED: Final = "✓"
FAILED: Final = "✗"


class Row(NamedTuple):
    """One line of how pay came about: what, in which words, and the amount; `total` lines are sums."""

    label: str
    detail: str
    amount: str
    total: bool = False


class Part:
    """One component of a statement in one month, and how its numbers are written."""

    def __init__(self, told: Statement, component: str, period: str) -> None:
        self.told, self.name, self.period = told, component, period
        self.about = next(row for row in _rows(told.components) if row["component"] == component)
        self.now = next(row for row in self.of(told.standing))
        self.steps = {row["step"]: int(row["amount"]) for row in self.of(told.steps)}
        self.title = label_of(component)

    def of(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """Pick the rows of this component and month."""
        chosen = (frame["component"] == self.name) & (frame[PERIOD] == self.period)
        return _rows(frame[chosen])

    def money(self, minor: Any, *, signed: bool = False) -> str:
        """Write minor units."""
        return money_text(minor, self.told.currency, signed=signed)

    def counted(self, raw: Any) -> str:
        """Write what the component counts: money, pieces, deals or a score."""
        kind = self.about["counts"]
        if kind in MONEY_VALUES:
            return self.money(raw)
        word = {UNIT_COUNT: " units", COUNT: " deals"}.get(kind, "")
        scaled = Fraction(int(raw), self.about["scale"])
        return f"{number_text(float(scaled), decimals=0 if scaled.denominator == 1 else 2)}{word}"

    def performance(self, at: Fraction) -> str:
        """Write a point of the curve: a share of the quota, or an amount of what is counted."""
        if self.about["unit"] == ATTAINMENT or self.about["ratio"]:
            return share(at)
        return self.counted(round(at * self.about["scale"]))

    def rate(self, rate: Fraction, mode: str = "") -> str:
        """Write what a tier pays."""
        pays = self.about["pays"]
        if mode == STEP:
            return f"{self.money(rate * self.told.per_unit)} each"
        if pays == RATE:
            text = share(rate)
        elif pays == TARGET_INCENTIVE:
            text = share(rate) + " of target" if mode == LUMP else f"{_short(rate)} × target"
        else:
            text = self.money(rate * self.told.per_unit)
        words = {
            RETROACTIVE: " on everything",
            INTERPOLATED: " for the whole tier, pro rata",
            LUMP: " at once",
        }
        return text + words.get(mode, " each" if pays == MONEY and mode != CELL else "")

    def story(self) -> Iterator[Row]:
        """Tell how the month's pay came about, step by step."""
        at, monthly = self.now, self.about["interval"] == MONTH
        span = month_name(self.period) if monthly else at["interval"]
        lines = self.of(self.told.lines)
        value = sum(int(line["value"]) for line in lines)
        to_date = "" if monthly else f", {span} to date {self.counted(at['measure'])}"
        count = f"{len(lines)} {'credit' if len(lines) == 1 else 'credits'} in {month_name(self.period)}"
        yield Row("Credits", count if self.about["ratio"] else f"{count}: {self.counted(value)}{to_date}", "")
        if at["attainment"] is not None:
            of = f"{self.counted(at['measure'])} of a quota of {self.counted(at['quota'])}"
            yield Row("Attainment", "ratio to date" if self.about["ratio"] else of, share(at["attainment"]))
        if at["reason"]:
            yield Row("Not known yet", at["reason"], MISSING, total=True)
            return
        what = "each of those credits" if self.now["exact"] is None else f"that, {span} to date"
        yield Row("Tiers", f"what the plan pays for {what}", self.money(self.now["curve_pay"]))
        yield from self._gates()
        yield from self._multipliers()
        if not pd.isna(at["limit"]):
            taken = int(at["due"]) - int(at["before_cap"])
            yield Row(
                _with_clause("Cap", self._clause("cap")),
                f"at most {self.money(at['limit'])} in {span}",
                self.money(taken) if taken else "not reached",
            )
        if not monthly:
            yield Row(f"Due for {span} to date", "", self.money(at["due"]), total=True)
            yield Row("Earned before", f"earlier in {span}", self.money(-int(at["paid_before"])))
        if self.steps["true_up"]:
            yield Row(
                _with_clause("True-up", self._clause("true-up")),
                "the longer interval by the same tiers",
                self.money(self.steps["true_up"], signed=True),
            )
        yield Row(f"Earned in {month_name(self.period)}", "", self.money(at["earned"]), total=True)

    def _clause(self, rule: str) -> str:
        clauses = self.told.clauses
        found = clauses[(clauses["component"] == self.name) & (clauses["rule"] == rule)]["clause"]
        return str(found.iloc[0]) if len(found) else ""

    def _gates(self) -> Iterator[Row]:
        rows = self.of(self.told.gates)
        closed = next((row["gate"] for row in rows if not row["open"]), None)
        effect = int(self.now["gated"]) - int(self.now["curve_pay"])
        for number in dict.fromkeys(row["gate"] for row in rows):
            tests = [row for row in rows if row["gate"] == number]
            said = " or ".join(_test(row, self.told) for row in tests)
            change = self.money(effect) if number == closed and effect else "no change"
            yield Row(_with_clause(f"Gate {number}", tests[0]["clause"]), said, change)

    def _multipliers(self) -> Iterator[Row]:
        rows = self.of(self.told.multipliers)
        effect = int(self.now["before_cap"]) - int(self.now["gated"])
        for number, row in enumerate(rows, start=1):
            said = f"{_seen(row, self.told)}, so × {_short(row['factor'])}"
            change = self.money(effect, signed=True) if number == len(rows) else ""
            yield Row(_with_clause("Multiplier", row["clause"]), said, change if effect else "no change")

    def ahead(self, row: dict[str, Any]) -> str:
        """Say what the next sale earns and what the next tier takes."""
        if row["held_by"]:
            return f"{self.title}: nothing more is added for now ({row['held_by']})."
        said = f"{self.title}:"
        if not pd.isna(row["money_rate"]):
            hundred = 100 * self.told.per_unit
            whole = money_text(hundred, self.told.currency, cents=False)
            said += f" each further {whole} pays {self.money(row['money_rate'] * hundred)} now;"
        if row["next_start"] is None:
            return f"{said} no higher tier lies ahead."
        said += f" the next tier starts at {self.performance(row['next_start'])}"
        if not pd.isna(row["further"]):
            said += f", which takes {self.counted(row['further'])} more"
        if not pd.isna(row["pays_there"]):
            said += f" and makes {self.money(row['pays_there'])} due to date"
        there = row["rate_from_there"]
        return f"{said}." if there is None else f"{said}; from there it pays {self.rate(there)}."

    def band(self, row: dict[str, Any]) -> str:
        """Name a tier by its edges."""
        if row["mode"] in {STEP, CELL}:
            return {STEP: "each full step", CELL: "your cell of the table"}[row["mode"]]
        start, end = self.performance(row["from"]), row["to"]
        return f"from {start}" if end is None else f"{start} to {self.performance(end)}"

    def share_of(self, row: dict[str, Any]) -> str:
        """Write how much of the performance a tier pays for."""
        if row["mode"] == STEP:
            return f"{number_text(float(row['input']))} steps"
        if row["mode"] == LUMP:
            return "reached"
        return (
            self.money(row["input"] * self.told.per_unit)
            if row["mode"] == CELL
            else self.performance(row["input"])
        )


def day_name(day: dt.date) -> str:
    """Write a day as people say it.

    Examples
    --------
    >>> day_name(dt.date(2026, 10, 5))
    '5 October 2026'
    """
    return f"{day.day} {day:%B %Y}"


def month_name(period: str) -> str:
    """Write a month as people say it.

    Examples
    --------
    >>> month_name("2026-03")
    'March 2026'
    """
    year, month = period.split("-")
    return f"{dt.date(int(year), int(month), 1):%B %Y}"


def share(ratio: Fraction) -> str:
    """Write a share in percent with the decimals it needs, at most two.

    Examples
    --------
    >>> share(Fraction(1)), share(Fraction(9, 8)), share(Fraction(1, 3))
    ('100%', '112.5%', '33.33%')
    """
    decimals = next((few for few in (0, 1) if (ratio * 100 * 10**few).denominator == 1), 2)
    return ratio_text(float(ratio), decimals=decimals)


def _short(number: Fraction) -> str:
    return f"{float(number):.4g}"


def _value(value: Fraction | None, row: dict[str, Any], told: Statement) -> str:
    if value is None:
        return MISSING
    if row["unit"] == SHARE:
        return share(value)
    if row["unit"] in MONEY_VALUES:
        return money_text(round(value * told.per_unit), told.currency)
    return number_text(float(value), decimals=0 if value.denominator == 1 else 3)


def _seen(row: dict[str, Any], told: Statement) -> str:
    return f"{row['looks_at'].replace('_', ' ')}: {_value(row['value'], row, told)}"


def _test(row: dict[str, Any], told: Statement) -> str:
    mark, test = (PASSED if row["passed"] else FAILED), row["test"].replace("_", " ")
    return f"{mark} {_seen(row, told)}, {test} {_value(row['level'], row, told)} needed"


def _with_clause(label: str, clause: str) -> str:
    return f"{label} ({clause})" if clause else label


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
