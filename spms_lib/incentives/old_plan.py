"""A compensation plan: the clauses that turn attainment into pay, held exactly.

Every number is an exact fraction, because a rate of 0.1 that is really
0.1000000000000000055 costs somebody a cent. A plan has no code of its own: whatever
two plans could do differently (ties, threshold, cap) is written in it.
"""

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spms_lib.errors import PlanError

UPPER: Final = "upper"
LOWER: Final = "lower"


@dataclass(frozen=True, slots=True)
class Tier:
    """One band of attainment and what each further unit of attainment pays in it.

    Attributes
    ----------
    start
        Attainment (actual / quota, 1 is 100 %) at which the band starts.
    rate
        Marginal payout inside the band: units of target incentive per unit of
        attainment. 1 pays 1 % of target incentive for each 1 % of quota, 2 is a 2x accelerator.
    """

    start: Fraction
    rate: Fraction


@dataclass(frozen=True, slots=True)
class CompensationPlan:
    """A tiered plan on attainment, as a plan document states it.

    Tiers are incremental: each rate pays only for the attainment inside its own band.
    Below an attainment of zero (returns exceed sales) the first tier's rate goes on, so
    a sale that is returned takes back exactly what it had paid.

    Attributes
    ----------
    name
        Name of the plan.
    currency
        ISO 4217 code of every amount, the cap included.
    tiers
        Bands in rising order of attainment, the first from 0.
    tie
        Attainment exactly on a start or on the threshold belongs to the `upper` or the
        `lower` side. Sources of the trade differ, so a plan must say it.
    effective_from
        First day on which the plan holds.
    threshold
        Attainment below which nothing is paid; from it on the whole curve pays, from the
        first cent (a cliff). None for no threshold. A plan that pays only the excess has a
        first tier with rate 0 instead.
    cap
        Largest payout, in units of target incentive; None for an uncapped plan.
    pay_share
        Share of a full year's target incentive that stands behind one payout: 1/4 for a
        plan paid by quarter on the quarter's quota, 1 for a yearly one.
    source
        Document and clause, such as "AE plan FY26, 4.2".
    description
        What a payee should know about it, in one sentence.

    Raises
    ------
    PlanError
        If a clause is missing or contradicts another.
    """

    name: str
    currency: str
    tiers: tuple[Tier, ...]
    tie: str
    effective_from: dt.date
    threshold: Fraction | None = None
    cap: Fraction | None = None
    pay_share: Fraction = Fraction(1)
    source: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        starts = [tier.start for tier in self.tiers]
        self._refuse_if(not self.name.strip(), "The plan has no name.", "Name it.")
        self._refuse_if(not self.currency.strip(), "No currency is stated.", "Write one, such as EUR.")
        self._refuse_if(not starts, "The plan has no tier.", "State at least one, from 0.")
        self._refuse_if(starts[:1] != [0], f"The first tier starts at {_text(starts[:1])}.", "Start it at 0.")
        self._refuse_if(
            starts != sorted(set(starts)),
            f"Tiers start at {_text(starts)}, which does not rise.",
            "List each start once, in rising order.",
        )
        self._refuse_if(
            any(tier.rate < 0 for tier in self.tiers),
            f"Rates are {_text([tier.rate for tier in self.tiers])}; one is negative.",
            "Selling more must not cost pay: use 0 or more.",
        )
        self._refuse_if(
            self.tie not in {UPPER, LOWER},
            f"Tie is '{self.tie}'.",
            "Say whether attainment exactly on a start belongs to the 'upper' or the 'lower' tier.",
        )
        self._refuse_if(
            self.threshold is not None and self.threshold < 0,
            "The threshold is negative.",
            "Use 0 or more, or leave it out.",
        )
        self._refuse_if(self.cap is not None and self.cap <= 0, "The cap is not positive.", "Leave it out.")
        self._refuse_if(
            not 0 < self.pay_share <= 1, f"Pay share is {self.pay_share}.", "Use more than 0, at most 1."
        )

    def _refuse_if(self, wrong: bool, what: str, remedy: str) -> None:
        if wrong:
            raise PlanError(what, where=f"plan '{self.name}'", remedy=remedy)


def plan_from_dict(data: Mapping[str, object]) -> CompensationPlan:
    """Read a compensation plan from plain values, such as those of a YAML file.

    Parameters
    ----------
    data
        The attributes of `CompensationPlan` by name. Numbers may be text (`"1.5"`, `"150 %"`,
        `"1/3"`), decimals, whole numbers or floats; a float counts as what it prints as, so 0.1
        is one tenth. A tier is `{start, rate}` or `[start, rate]`. A day is a date or `2026-01-01`.

    Raises
    ------
    PlanError
        If a name is unknown (the nearest known one is named), one is missing, or a value
        does not fit.

    Examples
    --------
    >>> plan = plan_from_dict({
    ...     "name": "AE 2026", "currency": "EUR", "tie": "upper", "effective_from": "2026-01-01",
    ...     "tiers": [{"start": 0, "rate": "1"}, {"start": "100 %", "rate": "1.5"}], "cap": 3,
    ... })
    >>> plan.tiers[1]
    Tier(start=Fraction(1, 1), rate=Fraction(3, 2))
    """
    where = f"plan '{data.get('name', '')}'"
    known = {field.name: field for field in fields(CompensationPlan)}
    _refuse_unknown(data, list(known), where)
    missing = [
        name for name, field in known.items() if field.default is MISSING and data.get(name) in (None, "")
    ]
    if missing:
        raise PlanError(f"{', '.join(missing)} is not stated.", where=where, remedy="Add it to the plan.")
    share = data.get("pay_share")
    return CompensationPlan(
        name=str(data["name"]),
        currency=str(data["currency"]),
        tiers=_tiers(data["tiers"], where),
        tie=str(data["tie"]),
        effective_from=_day(data["effective_from"], where),
        threshold=_optional(data.get("threshold"), f"{where}, threshold"),
        cap=_optional(data.get("cap"), f"{where}, cap"),
        pay_share=Fraction(1) if share is None else exact(share, where=f"{where}, pay_share"),
        source=str(data.get("source") or ""),
        description=str(data.get("description") or ""),
    )


def exact(value: object, *, where: str = "") -> Fraction:
    """Read a number as the exact fraction that was written.

    Examples
    --------
    >>> exact("12.5 %"), exact(0.1), exact("1/3")
    (Fraction(1, 8), Fraction(1, 10), Fraction(1, 3))
    """
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, (str, int, float, Decimal)) or isinstance(value, bool):
        raise PlanError(f"'{value}' is not a number.", where=where, remedy="Write it as 1.5, 150 % or 3/2.")
    text = str(value).strip()
    percent = text.endswith("%")
    try:
        number = Fraction(text.removesuffix("%").strip())
    except (ValueError, ZeroDivisionError):
        raise PlanError(
            f"'{value}' is not a number.", where=where, remedy="Write it as 1.5, 150 % or 3/2."
        ) from None
    return number / 100 if percent else number


def _optional(value: object, where: str) -> Fraction | None:
    return None if value is None else exact(value, where=where)


def _tiers(rows: object, where: str) -> tuple[Tier, ...]:
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise PlanError("Tiers are not a list.", where=where, remedy="List them as {start, rate}.")
    return tuple(_tier(row, f"{where}, tier {number}") for number, row in enumerate(rows, start=1))


def _tier(row: object, where: str) -> Tier:
    if isinstance(row, Mapping):
        _refuse_unknown(row, ["start", "rate"], where)
        row = [row.get("start"), row.get("rate")]
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 2:
        raise PlanError(f"{row!r} is not a tier.", where=where, remedy="Write {start: 0, rate: 1}.")
    return Tier(exact(row[0], where=f"{where}, start"), exact(row[1], where=f"{where}, rate"))


def _day(value: object, where: str) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise PlanError(f"'{value}' is not a day.", where=where, remedy="Write it as 2026-01-31.") from None


def _refuse_unknown(data: Mapping[str, object], known: Sequence[str], where: str) -> None:
    for name in data:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(known)}."
            raise PlanError(f"'{name}' is not a clause of a plan.", where=where, remedy=hint)


def _text(numbers: Sequence[Fraction]) -> str:
    return ", ".join(f"{float(number):g}" for number in numbers) or "nothing"
