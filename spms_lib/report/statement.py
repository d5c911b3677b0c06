"""The statement page: what a seller is paid, and why, so that they can check every cent themselves."""

import datetime as dt
from fractions import Fraction
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from spms_lib.errors import PeriodError
from spms_lib.incentives.plan.model import ATTAINMENT
from spms_lib.incentives.statements.statement import Statement
from spms_lib.report.cells import label_of, money_text
from spms_lib.report.statement_curve import curve_picture
from spms_lib.report.statement_tables import (
    change_tables,
    line_table,
    movement_table,
    movements_of,
    other_tables,
    rule_table,
    tier_table,
)
from spms_lib.report.statement_words import Part, day_name, month_name, share
from spms_lib.report.tables import Printed
from spms_lib.report.text import Metric, headline, stylesheet, template
from spms_lib.tables import PERIOD
from spms_lib.text import visible

EARNING: Final = "earning"
HASH_SHOWN: Final = 12
STRAIGHT: Final = 2  # points of a curve that is one straight line, and needs no drawing
NEAR: Final = 0.15  # a tier that starts this near the quota shares its tick


def statement_page(
    statement: Statement,
    *,
    as_of: dt.date,
    run_hash: str,
    contact: str,
    period: str | None = None,
    name: str = "",
    pays_on: dt.date | None = None,
    ahead: pd.DataFrame | None = None,
    before: Statement | None = None,
) -> str:
    """Write the statement of one payee and month as one page: no script, nothing fetched, fit for phone and paper.

    Parameters
    ----------
    as_of
        Day up to which credits are counted.
    run_hash
        Names the run that paid, so that it can be repeated.
    contact
        Whom to write to if something looks wrong.
    period
        Month of the statement; its last one if None.
    name
        The payee's name, where it is not the key.
    pays_on
        Day of payment.
    ahead
        Rows of `next_step` (others' rows are left out).
    before
        The statement that was sent last, to say what changed since.

    Raises
    ------
    PeriodError
        If the statement does not have the month.
    """
    period = period or statement.periods[-1]
    if period not in statement.periods:
        raise PeriodError(
            f"The statement has no {period}.",
            where=statement.payee,
            remedy=f"Use one of {', '.join(statement.periods)}.",
        )
    parts = [Part(statement, component, period) for component in statement.components["component"]]
    movements = movements_of(statement, period)
    earned = sum(int(part.now["earned"]) for part in parts)
    paid = earned if movements is None else int(movements["amount"].sum())
    page = template(
        "statement.html.j2"
    ).render(
        css=Markup(stylesheet("parts.css", "page.css", "statement.css")),  # noqa: S704 our own files
        title=f"Pay statement, {month_name(period)}",
        who=name or statement.payee,
        plan=f"{label_of(statement.plan)} {statement.version}".strip(),
        lead=_lead(parts, earned, paid, pays_on, statement, movements),
        tiles=_markup(headline(_tiles(parts, earned, paid, statement, movements))),
        unknown=[
            f"{part.title} cannot be known yet: {part.now['reason']}." for part in parts if part.now["reason"]
        ],
        parts=[_section(part) for part in parts],
        movements=None if movements is None else _markup(movement_table(movements, statement)),
        ahead=[line for part in parts if (line := _ahead(part, ahead))],
        changed=None if before is None else [_markup(table) for table in change_tables(statement, before)],
        last="" if before is None else month_name(before.periods[-1]),
        tables=[_markup(table) for table in other_tables(statement)],
        clauses=_markup(rule_table(statement)),
        contact=contact,
        number=run_hash[:HASH_SHOWN],
        run_hash=run_hash,
        as_of=day_name(as_of),
    )
    return visible(page)


def _lead(
    parts: list[Part],
    earned: int,
    paid: int,
    pays_on: dt.date | None,
    told: Statement,
    movements: pd.DataFrame | None,
) -> list[str]:
    """Say in two sentences what is paid and when, and why."""
    when = f" on {day_name(pays_on)}" if pays_on else ""
    first = f"You are paid {money_text(paid, told.currency)} for {month_name(parts[0].period)}{when}"
    if movements is not None and paid != earned:
        kinds = movements.groupby(movements["kind"].astype(str), sort=False)["amount"].sum()
        together = int(kinds.get(EARNING, earned))
        listed = [f"earned {money_text(together, told.currency)}"]
        if together != earned:
            listed = [
                f"{listed[0]} since the last payment, {money_text(earned, told.currency)} of it in this month"
            ]
        listed += [
            f"{label_of(kind).lower()} {money_text(amount, told.currency, signed=True)}"
            for kind, amount in kinds.drop(EARNING, errors="ignore").items()
        ]
        first += f": {', '.join(listed)}"
    largest = max(parts, key=lambda part: abs(int(part.now["earned"])))
    if largest.now["reason"]:
        return [f"{first}."]
    whole = len(parts) == 1 or largest.now["earned"] == earned
    second = (
        "All of it was earned by"
        if whole and paid == earned
        else f"{largest.money(largest.now['earned'])} were earned by"
    )
    why = ""
    if largest.now["attainment"] is not None:
        why = f", where you stand at {share(largest.now['attainment'])} " + (
            "to date"
            if largest.about["ratio"]
            else f"of your quota of {largest.counted(largest.now['quota'])} for {largest.now['interval']}"
        )
    return [f"{first}.", f"{second} {largest.title}{why}."]


def _tiles(
    parts: list[Part], earned: int, paid: int, told: Statement, movements: pd.DataFrame | None
) -> list[Metric]:
    months = told.periods[: told.periods.index(parts[0].period) + 1]
    so_far = int(told.steps[told.steps[PERIOD].isin(months)]["amount"].sum())
    tiles = [Metric("Paid", money_text(paid, told.currency), f"for {month_name(parts[0].period)}")]
    if movements is not None:
        tiles.append(
            Metric("Earned", money_text(earned, told.currency), f"in {month_name(parts[0].period)} alone")
        )
    tiles += [
        Metric(part.title, share(part.now["attainment"]), f"attainment, {part.now['interval']} to date")
        for part in parts
        if part.now["attainment"] is not None
    ][:2]
    return [
        *tiles,
        Metric("Earned so far", money_text(so_far, told.currency), f"since {month_name(told.periods[0])}"),
    ]


def _section(part: Part) -> dict[str, Any]:
    points = part.told.curve[part.told.curve["component"] == part.name]
    drawn = len(points) > STRAIGHT and part.period == part.told.periods[-1]
    return {
        "title": part.title,
        "clause": part.about["clause"],
        "said": part.about["description"],
        "story": list(part.story()),
        "picture": _picture(part, points) if drawn else "",
        "tables": [_markup(table) for table in (tier_table(part), line_table(part)) if table is not None],
    }


def _picture(part: Part, points: pd.DataFrame) -> Markup:
    of_quota = part.about["unit"] == ATTAINMENT
    at = part.now["attainment"] if of_quota else Fraction(int(part.now["measure"]), part.about["scale"])
    here = f"{part.performance(at)} pays {part.money(part.now['curve_pay'])}"
    edges = sorted({float(value) for value in points["at"]})[:-1]
    ticks = [(edge, part.performance(Fraction(edge).limit_denominator(10**6))) for edge in edges]
    if of_quota:
        ticks = [
            *(tick for tick in ticks if tick[0] < 1 - NEAR or tick[0] > 1 + NEAR),
            (1.0, "quota"),
        ]
    label = f"Pay of {part.title} along performance; you stand where {here}."
    return curve_picture(
        points, at=float(at), pay=float(part.now["curve_pay"]), here=here, ticks=ticks, label=label
    )


def _ahead(part: Part, ahead: pd.DataFrame | None) -> str:
    if ahead is None:
        return ""
    mine = ahead[(ahead["payee"].astype(str) == part.told.payee) & (ahead["component"] == part.name)]
    return part.ahead({str(key): value for key, value in mine.iloc[0].items()}) if len(mine) else ""


def _markup(printed: Printed) -> Markup:
    return Markup(printed.html)  # noqa: S704 made by the report's tables, which escape every text
