"""The tables of a statement: tiers, credits, movements of pay, what changed, rules."""

from typing import Final

import pandas as pd

from spms_lib.calendar import is_month
from spms_lib.incentives.plan.model import MONEY_VALUES, TARGET_INCENTIVE
from spms_lib.incentives.statements.changes import changes
from spms_lib.incentives.statements.statement import Statement
from spms_lib.report.cells import label_of, number_text
from spms_lib.report.statement_words import Part, month_name
from spms_lib.report.tables import Printed, show
from spms_lib.tables import PERIOD

PAYMENT: Final = "payment"  # the ledger's own sum
_OTHERS: Final = {
    "start": "without a credit",
    "gates": "gates",
    "multipliers": "multipliers",
    "cap": "cap",
    "true_up": "true-up",
}


def tier_table(part: Part) -> Printed | None:
    """Print which part of the performance each tier pays."""
    rows = part.of(part.told.tiers)
    if not rows:
        return None
    frame = pd.DataFrame(
        {
            "tier": [part.band(row) for row in rows],
            "your_part": [part.share_of(row) for row in rows],
            "pays": [part.rate(row["rate"], row["mode"]) for row in rows],
            "amount": [float(row["amount"]) for row in rows],
        }
    )
    if any(row["gate"] for row in rows):
        frame["curve"] = [f"gate {row['gate']}" if row["gate"] else "own" for row in rows]
    notes = []
    if part.about["pays"] == TARGET_INCENTIVE:
        notes.append(
            f"Target incentive of {part.now['interval']}: {part.money(part.now['target_incentive'])}."
        )
    if part.now["rounding"]:
        exact = number_text(float(part.now["exact"] / part.told.per_unit), decimals=6)
        notes.append(f"Due to date before rounding: {exact} {part.told.currency}; rounded once.")
    if part.steps["kickers"] or part.steps["deal_cap"]:
        notes.append("Before kickers and the most that one deal pays, which stand with the credits.")
    return show(
        frame,
        title=f"Tier by tier, {part.now['interval']} to date",
        note=" ".join(notes),
        money=["amount"],
        currency=part.told.currency,
    )


def line_table(part: Part) -> Printed | None:
    """Print what each credit of the month paid."""
    lines = pd.DataFrame(part.of(part.told.lines))
    if lines.empty:
        return None
    names = {
        "value": "counts",
        "before": "total_before",
        "after": "total_after",
        "amount": "pays",
        "kicker": "kicker_in_it",
        "deal_cap": "deal_cap_in_it",
    }
    more = [name for name in ("kicker", "deal_cap") if lines[name].any()]
    extra = [names[name] for name in more]
    frame = lines.assign(date=lines["date"].dt.date)
    frame = frame[["credit", "date", "value", "amount", *more, "before", "after"]].rename(columns=names)
    counted = ["counts", "total_before", "total_after"]
    if not (of_money := part.about["counts"] in MONEY_VALUES):
        frame[counted] = frame[counted] / part.about["scale"]
    others = [(words, part.steps[name]) for name, words in _OTHERS.items() if part.steps[name]]
    sums = [f"Credits {part.money(int(lines['amount'].sum()))}"]
    sums += [f"{words} {part.money(amount, signed=True)}" for words, amount in others]
    return show(
        frame,
        title=f"Your credits in {month_name(part.period)}",
        note=(
            "A credit pays what is due after it less what was due before it, so the lines add up to the cent. "
            f"{'; '.join(sums)}; earned {part.money(part.now['earned'])}."
        ),
        money=["pays", *extra, *(counted if of_money else [])],
        currency=part.told.currency,
    )


def movements_of(told: Statement, period: str) -> pd.DataFrame | None:
    """Pick the ledger's rows of a month, without its own sum."""
    if told.ledger is None:
        return None
    chosen = (told.ledger[PERIOD].astype(str) == period) & (told.ledger["kind"].astype(str) != PAYMENT)
    return told.ledger[chosen]


def movement_table(movements: pd.DataFrame, told: Statement) -> Printed:
    """Print the way from what was earned to what is paid."""
    frame = movements[["kind", "link", "amount"]].astype({"kind": str, "link": str})
    frame = frame.assign(kind=frame["kind"].map(label_of), link=frame["link"].map(_readable))
    total = pd.DataFrame({"kind": ["Paid"], "link": [""], "amount": [int(movements["amount"].sum())]})
    frame = pd.concat([frame, total], ignore_index=True)
    marked = pd.Series([*[False] * len(movements), True])
    return show(
        frame,
        title="From what you earned to what you are paid",
        money=["amount"],
        signed=["amount"],
        currency=told.currency,
        highlight=marked,
    )


def _readable(link: str) -> str:
    """Write a ledger's link in words: a component and its month; anything else as it stands."""
    name, _, period = link.rpartition(" ")
    return f"{label_of(name)}, {month_name(period)}" if name and is_month(period) else link


def change_tables(told: Statement, before: Statement) -> list[Printed]:
    """Print what changed since an earlier statement; nothing where nothing did."""
    amounts, lines = changes(told, before)
    counted = {name: Part(told, name, told.periods[0]).counted for name in told.components["component"]}
    for column in ("value_before", "value_now"):
        values = zip(lines["component"], lines[column], strict=True)
        lines[column] = pd.Series(
            [None if pd.isna(value) else counted[component](value) for component, value in values],
            dtype=object,
        )
    for frame in (amounts, lines):
        frame["component"] = frame["component"].map(label_of)
    tables = []
    if len(amounts):
        tables.append(
            show(
                amounts,
                title="Months that changed",
                money=["before", "now", "difference"],
                signed=["difference"],
                currency=told.currency,
            )
        )
    if len(lines):
        tables.append(show(lines, title="Credits that arrived, left or changed"))
    return tables


def other_tables(told: Statement) -> list[Printed]:
    """Print proration and exchange rates, where they were given."""
    tables = []
    if told.proration is not None and len(told.proration):
        tables.append(
            show(
                told.proration.drop(columns="payee", errors="ignore"),
                title="Days you took part, by which quota and target incentive are shared out",
            )
        )
    if told.rates is not None and len(told.rates):
        tables.append(show(told.rates, title="Exchange rates that were used"))
    return tables


def rule_table(told: Statement) -> Printed:
    """Print the clauses that a statement rests on."""
    frame = told.clauses.assign(component=told.clauses["component"].map(label_of).replace("", "All"))
    filled = [name for name in frame if name != "source" or (frame[name] != "").any()]
    return show(frame[filled], title="Rules of the plan that this statement uses")
