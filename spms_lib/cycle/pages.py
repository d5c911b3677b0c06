"""Parts of the review page: heading, tiles, bridge, notes, totals and checks, from facts alone."""

import datetime as dt

import numpy as np
import pandas as pd

from spms_lib.commitments import conservation_gaps
from spms_lib.cycle.collection.notes import field_notes
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outcome import dated_results, outside_tree, quarter_results, sold_in_quarter
from spms_lib.cycle.targets import read_plan
from spms_lib.report.cells import ratio_text
from spms_lib.report.tables import Printed
from spms_lib.report.text import BAD, GOOD, NEUTRAL, WATCH, Metric, Said, callout, say
from spms_lib.review.facts import ReviewFacts
from spms_lib.tables import NODE, VALUE

CLOSE = 0.98


def heading(desk: Desk, facts: ReviewFacts) -> Said:
    """State in one line what is reviewed, for whom and as of when."""
    state = (
        "the quarter is over"
        if facts.complete
        else f"it runs until {facts.period_end}, so figures are to date"
    )
    whole = facts.scope == desk.company.title or not desk.region
    who = desk.company.title if whole else f"{facts.scope} ({desk.company.title})"
    return say([f"**{who}, {facts.period}**, as of {facts.as_of}: {state}."])


def decision_line(proposed: pd.DataFrame, open_now: pd.DataFrame, desk: Desk) -> Printed:
    """Put what has to be decided now on the first page: proposals first, then what is still open."""
    if len(proposed):
        first = proposed.iloc[0]
        more = f" {len(proposed) - 1} more below." if len(proposed) > 1 else ""
        return callout(
            "decision", f"{first['text']} (owner {first['owner']}, by {first['due']:%Y-%m-%d}).{more}"
        )
    if len(open_now):
        names = "; ".join(str(text) for text in open_now["text"].head(2))
        return callout("decision", f"{len(open_now)} decisions of {desk.cycle} are still open: {names}.")
    return callout(
        "good", "Nothing proposed: no node misses its plan by enough, and no decision of this cycle is open."
    )


def readable(card: pd.DataFrame) -> pd.DataFrame:
    """Write the metrics of a scorecard as words, and leave out what only the code needs."""
    return card.assign(metric=card["metric"].str.replace("_", " ").str.replace("wape", "WAPE")).drop(
        columns="better"
    )


def _against(value: float | None, wanted: float | None) -> str:
    """Judge a result against what was wanted: good, watch (within two per cent), or bad."""
    if value is None or not wanted:
        return NEUTRAL
    return GOOD if value >= wanted else WATCH if value >= CLOSE * wanted else BAD


def tiles(desk: Desk, facts: ReviewFacts) -> list[Metric]:
    """Choose the few numbers that an executive reads first."""
    actual, plan, before = facts.actual, facts.plan, facts.last_year
    reached = facts.shape_of("share_at_or_above_quota")
    miss, bias = facts.accuracy_of("wape"), facts.accuracy_of("bias_ratio")
    cost, overdue = facts.pay("cost_of_sales_ratio"), facts.decisions_overdue()
    has, needs = facts.coverage()
    to_date = "" if facts.complete else " to date"
    shown = [
        Metric("Sales" + to_date, desk.money(actual), f"plan {desk.money(plan)}", _against(actual, plan)),
        Metric(
            "Of plan" + to_date, ratio_text(_ratio(actual, plan)), "actual / plan", _against(actual, plan)
        ),
        Metric(
            "On last year",
            _growth(actual, before),
            f"same days: {desk.money(before)}",
            _against(actual, before),
        ),
    ]
    if facts.landing is not None:
        wanted = facts.plan_of_period
        shown.append(
            Metric(
                "Lands at",
                desk.money(facts.landing),
                f"plan {desk.money(wanted)}",
                _against(facts.landing, wanted),
            )
        )
    shown.append(Metric("At or above quota", ratio_text(reached, decimals=0), f"share of {facts.member}s"))
    if has is not None:
        shown.append(
            Metric(
                "Coverage",
                f"{has:.1f}x",
                "needs –" if needs is None else f"needs {needs:.1f}x",
                _against(has, needs),
            )
        )
    if miss is not None:
        shown.append(
            Metric(
                f"{facts.forecast.capitalize()} missed by",
                ratio_text(miss),
                f"bias {ratio_text(bias, signed=True)}, by {facts.member} and month",
            )
        )
    if cost is not None:
        shown.append(Metric("Incentive cost", ratio_text(cost), "payout / sales"))
    shown.append(
        Metric(
            "Decisions overdue",
            "–" if overdue is None else str(overdue),
            "of earlier cycles",
            BAD if overdue else NEUTRAL,
        )
    )
    return shown


def _ratio(value: float | None, whole: float | None) -> float | None:
    return value / whole if value is not None and whole else None


def _growth(value: float | None, before: float | None) -> str:
    ratio = _ratio(value, before)
    return ratio_text(None if ratio is None else ratio - 1.0, signed=True)


def variance_steps(facts: ReviewFacts, *, most: int = 10) -> pd.DataFrame:
    """Lay the variance by child out as a bridge from plan to actual: label, value, kind."""
    if facts.children is None or facts.plan is None or facts.actual is None:
        return pd.DataFrame(
            {"label": ["Plan", "Actual"], "value": [facts.plan, facts.actual], "kind": "total"}
        )
    known = facts.children.dropna(subset="variance")
    parts = known[known["variance"] != 0]
    shown, rest = parts.head(most), parts.iloc[most:]
    steps = [("Plan", facts.plan, "total")]
    steps += [
        (str(row["name"] or "not explained by nodes"), int(row["variance"]), "change")
        for row in shown.to_dict("records")
    ]
    if len(rest):
        steps.append((f"{len(rest)} others", int(rest["variance"].sum()), "change"))
    left = facts.actual - facts.plan - int(parts["variance"].sum())
    if left:
        steps.append(("not explained by nodes", left, "change"))
    steps.append(("Actual", facts.actual, "total"))
    return pd.DataFrame(steps, columns=["label", "value", "kind"])


def notes_by_topic(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Count the scope's field notes by topic: topic, notes, open, answered (ratio), latest (words)."""
    rows = field_notes(desk)
    columns = ["topic", "notes", "open", "answered", "latest"]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    mine = rows[(rows["written_at"] <= pd.Timestamp(as_of)) & rows[NODE].isin(desk.scope.nodes)].sort_values(
        "written_at"
    )
    if mine.empty:
        return pd.DataFrame(columns=columns)
    table = (
        mine.assign(open=mine["status"] == "open", answered=mine["answer"].notna())
        .groupby("topic")
        .agg(
            notes=("note", "size"),
            open=("open", "sum"),
            answered=("answered", "mean"),
            latest=("text", "last"),
        )
    )
    return table.sort_values("notes", ascending=False, kind="stable").reset_index()[columns]


def totals(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Trace actual sales from everything that was read to what this edition reports.

    Returns
    -------
    pd.DataFrame
        Columns what, value (minor units); each row is a part of the one before it.
    """
    everything = int(desk.results[VALUE].sum())
    until = int(dated_results(desk, until=as_of)[VALUE].sum())
    quarter = sold_in_quarter(desk, until=as_of)
    outside = outside_tree(desk, until=as_of)
    rows = quarter_results(desk, until=as_of)
    mine = rows[rows[NODE].isin(desk.scope.leaves)]
    table = [
        ("Actual sales, all rows used", everything),
        (f"of these by {as_of}", until),
        (f"of these in {desk.cycle}", quarter),
        ("of these on leaves outside the plan's tree", outside),
        (f"of these in {desk.scope.name[desk.scope.root]}", int(mine[VALUE].sum())),
    ]
    return pd.DataFrame(table, columns=["what", "value"])


def review_checks(desk: Desk, facts: ReviewFacts, rows: pd.DataFrame, sums: pd.DataFrame) -> None:
    """Record the checks that this edition stands on."""
    plan = read_plan(desk).to_numpy(dtype=np.int64)
    desk.check(
        "every parent of the plan equals its children to the cent",
        not conservation_gaps(desk.tree, plan).any(),
        f"{len(desk.tree)} nodes",
    )
    leaves = rows[rows[NODE].isin(desk.scope.leaves)]
    desk.check(
        "the leaves' sales sum to the edition's",
        int(leaves["actual_to_date"].sum()) == facts.actual,
        desk.money(facts.actual),
    )
    desk.check(
        "the edition's sales equal the source",
        int(sums["value"].iloc[-1]) == facts.actual,
        "from the rows as read",
    )
    desk.check("rows in = used + rejected", bool(desk.sources["adds_up"].all()), f"{facts.rows_in:,} rows")
    problems = desk.ledger.verify()
    desk.check("the ledger is intact", problems.empty, f"{len(problems)} problems")


def review_headline(desk: Desk, facts: ReviewFacts) -> str:
    """Say in one line how the quarter went."""
    ratio = (
        f"{facts.actual / facts.plan:.1%} of plan" if facts.plan and facts.actual is not None else "no plan"
    )
    return f"{desk.money(facts.actual)} sold, {ratio}{'' if facts.complete else ' to date'}"
