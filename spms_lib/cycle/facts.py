"""The facts of one review edition, gathered for scorecard, summary and tables alike."""

import datetime as dt

import pandas as pd

from spms_lib.cycle.baselines import baseline_values
from spms_lib.cycle.collection.process import field_estimate, field_submissions
from spms_lib.cycle.coverage import covered
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.outcome import dated_results, paced, quarter_results
from spms_lib.cycle.planning import BASELINE, FIELD, TARGET, node_owners
from spms_lib.cycle.split import vacant_leaves
from spms_lib.cycle.targets import QUOTA, read_plan, read_targets
from spms_lib.review.accuracy import accuracy
from spms_lib.review.attainment import compared, shape_summary
from spms_lib.review.decisions import decision_outcomes, propose_decisions
from spms_lib.review.facts import ReviewFacts
from spms_lib.review.variance import PART, variance_by_node, variance_by_product
from spms_lib.store.decisions import decisions as ledger_decisions
from spms_lib.tables import DATE, NODE, PERIOD, SOURCE, VALUE, to_long, to_wide

PLAN = "plan"


def attained(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn `paced` rows into actual against plan, both to date: node, name, actual, plan, variance, attainment."""
    table = pd.DataFrame(
        {
            NODE: rows[NODE],
            "name": rows["name"],
            "actual": rows["actual_to_date"],
            "plan": rows["plan_to_date"],
        }
    )
    return compared(table)


def seller_attainment(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Compare each leaf's result with its quota, both to date; a vacant seat has nobody to attain it.

    Returns
    -------
    pd.DataFrame
        Columns node, name, actual, plan (the quota to date), variance, attainment.
    """
    table = attained(paced(desk, read_targets(desk, layer=QUOTA), as_of=as_of))
    seats = table[table[NODE].isin(desk.scope.leaves)]
    return seats[~seats[NODE].isin(list(vacant_leaves(desk)))].reset_index(drop=True)


def quarter_forecasts(desk: Desk) -> pd.DataFrame:
    """Lay out what each source said of the quarter's months at the leaves: node, period, source, value."""
    leaves = desk.scope.leaves
    parts = [
        to_long(read_targets(desk).loc[leaves]).assign(source=TARGET),
        field_estimate(desk)[0],
        to_long(baseline_values(desk).loc[leaves]).assign(source=BASELINE),
        to_long(read_plan(desk).loc[leaves]).assign(source=PLAN),
    ]
    joined = pd.concat(
        [part[[NODE, PERIOD, SOURCE, VALUE]].astype({VALUE: float}) for part in parts if len(part)]
    )
    return joined[joined[NODE].isin(leaves)].reset_index(drop=True)


def quarter_accuracy(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Measure every source over the months of the quarter that have ended, leaf by leaf: see `accuracy`.

    A leaf and month counts where every source has spoken; with a silent field it is left
    out. A month that had ended by the cut-off of collection is left out too: what was said
    of it then was knowledge, not a forecast.
    """
    forecasts = quarter_forecasts(desk)
    ended = [month for month in desk.months if desk.params.collect_as_of < desk.calendar.end(month) <= as_of]
    sold = desk.actuals(until=as_of).reindex(index=desk.scope.leaves, columns=ended).fillna(0.0)
    order = [name for name in (TARGET, FIELD, BASELINE, PLAN) if name in set(forecasts[SOURCE])]
    return accuracy(forecasts[forecasts[PERIOD].isin(ended)], to_long(sold), by=[SOURCE], sources=order)


def last_year_results(desk: Desk, *, as_of: dt.date) -> pd.DataFrame | None:
    """Return the scope's results of the same days last year: node, date, product, value; None if unknown."""
    quarter = desk.calendar.same_period_last_year(desk.cycle)
    first, last = desk.calendar.start(quarter), desk.calendar.end(quarter)
    passed = as_of - desk.calendar.start(desk.cycle)
    until = last if as_of >= desk.calendar.end(desk.cycle) else min(first + passed, last)
    rows = dated_results(desk, until=until)
    if rows.empty or rows[DATE].min() > pd.Timestamp(first) + pd.Timedelta(days=31):
        return None
    mine = rows[NODE].map(desk.carrier).isin(desk.scope.nodes)  # seats that have closed since count too
    return rows[(rows[DATE] >= pd.Timestamp(first)) & mine]


def product_variance(desk: Desk, plan: int, *, as_of: dt.date) -> pd.DataFrame | None:
    """Split the variance by product line into volume and mix; None where results are not split or have no past."""
    before = last_year_results(desk, as_of=as_of)
    rows = quarter_results(desk, until=as_of)
    now = rows[rows[NODE].isin(desk.scope.leaves)]
    if before is None or before[VALUE].sum() <= 0 or (now["product"] == "").all():
        return None
    return variance_by_product(now[["product", VALUE]], before[["product", VALUE]], plan=plan)


def all_decisions(desk: Desk) -> pd.DataFrame:
    """Put the decisions of the company's own list and of the ledger under each other; the ledger's word is later."""
    listed = desk.table("decisions")
    kept = ledger_decisions(desk.ledger)
    columns = list(kept.columns)
    parts = [part.reindex(columns=columns) for part in (listed, kept) if len(part)]
    joined = pd.concat(parts, ignore_index=True) if parts else kept
    return joined.drop_duplicates("decision", keep="last", ignore_index=True)


def past_decisions(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Show what became of the scope's decisions of earlier cycles: see `decision_outcomes`."""
    rows = all_decisions(desk)
    mine = rows[(rows["cycle"] < desk.cycle) & rows[NODE].isin(_scope_nodes(desk))]
    return decision_outcomes(mine.sort_values(["cycle", "due"], ignore_index=True), as_of=as_of)


def cycle_decisions(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Show the scope's decisions of this cycle: see `decision_outcomes`."""
    rows = all_decisions(desk)
    mine = rows[(rows["cycle"] == desk.cycle) & rows[NODE].isin(_scope_nodes(desk))]
    return decision_outcomes(mine.sort_values("due", ignore_index=True), as_of=as_of)


def _scope_nodes(desk: Desk) -> list[str]:
    """Nodes of the scope; the company's edition also takes nodes that are no longer in the tree."""
    if not desk.region:
        return list(dict.fromkeys([*desk.tree.nodes, *desk.table("hierarchy")[NODE]]))
    return list(desk.scope.nodes)


def next_decisions(desk: Desk, rows: pd.DataFrame, cover: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Propose decisions for the children of the scope that miss their plan: see `propose_decisions`."""
    children = desk.scope.children(desk.scope.root)
    gaps = rows[rows[NODE].isin(children)].merge(
        cover[[NODE, "remaining", "coverage_ratio", "required_ratio"]], on=NODE, how="left"
    )
    return propose_decisions(gaps, as_of=as_of, cycle=desk.cycle, owners=node_owners(desk), money=desk.money)


def submission_counts(desk: Desk) -> tuple[int, int] | tuple[None, None]:
    """Count forecasts received and expected in the scope; none where the company does not collect them."""
    if not desk.has("submissions"):
        return None, None
    heard = field_submissions(desk)
    people = set(desk.scope.leaves) - vacant_leaves(desk)
    grid = to_wide(heard[heard[NODE].isin(people)]).reindex(columns=desk.months)
    return int(grid.notna().all(axis=1).sum()), len(people)


def review_facts(desk: Desk, *, as_of: dt.date, cost: pd.DataFrame | None = None) -> ReviewFacts:
    """Gather what the edition knows on a day: see `ReviewFacts`."""
    rows = paced(desk, read_plan(desk), as_of=as_of)
    top = rows.iloc[0]
    before = last_year_results(desk, as_of=as_of)
    received, expected = submission_counts(desk)
    root = desk.scope.root
    compared_rows = attained(rows)
    children = (
        variance_by_node(compared_rows, desk.scope, root)
        if len(desk.scope) > 1
        else compared_rows.assign(kind=PART)  # a leaf's edition: it explains itself
    )
    closed = as_of >= desk.calendar.end(desk.cycle)
    measured = quarter_accuracy(desk, as_of=as_of)
    return ReviewFacts(
        scope=str(desk.scope.name[root]),
        period=desk.cycle,
        as_of=as_of,
        period_end=desk.calendar.end(desk.cycle),
        member=str(desk.scope.level[desk.scope.leaves[0]]),
        actual=int(top["actual_to_date"]),
        plan=int(top["plan_to_date"]),
        last_year=None if before is None else int(before[VALUE].sum()),
        landing=None if closed or pd.isna(top["landing"]) else int(top["landing"]),
        plan_of_period=None if closed else int(top["plan"]),
        children=children,
        shape=shape_summary(seller_attainment(desk, as_of=as_of)["attainment"]),
        measured=measured,
        forecast=FIELD if FIELD in set(measured[SOURCE]) else PLAN,
        covered=covered(desk, rows.iloc[[0]], as_of=as_of) if desk.has("opportunities") else None,
        cost=cost,
        submissions_received=received,
        submissions_expected=expected,
        outcomes=past_decisions(desk, as_of=as_of),
        rows_in=int(desk.sources["rows_in"].sum()),
        rows_rejected=int(desk.sources["rows_rejected"].sum()),
    )
