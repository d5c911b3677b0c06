"""From estimates to a published plan: gather the sources, weigh them, commit and sign."""

import pandas as pd

from spms_lib.collect.pipeline import pipeline_forecast, snapshot
from spms_lib.collect.submissions import field_forecast, latest_submissions
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import (
    BOTTOM_UP,
    TOP_DOWN,
    past_actuals,
    past_forecasts,
    past_quarters,
    past_submissions,
)
from spms_lib.cycle.targets import cells, read_targets
from spms_lib.goals.baseline import baseline
from spms_lib.reconcile.plan import Plan
from spms_lib.reconcile.trust import track_records, with_variance
from spms_lib.store.commits import Commit
from spms_lib.tables import DATE, NODE, PERIOD, SOURCE, VALUE, to_long

TARGET, FIELD, BASELINE = "target", "field", "baseline"


def field_submissions(desk: Desk) -> pd.DataFrame:
    """Return each leaf's last word on the quarter by the cut-off; empty where nobody submits."""
    rows = desk.table("submissions")
    if rows.empty:
        return rows.assign(version=pd.Series(dtype="int64"))
    mine = rows[rows[PERIOD].isin(desk.months) & rows[NODE].isin(desk.tree.leaves)]
    return latest_submissions(mine, cut_off=desk.params.collect_as_of)


def commit_submissions(desk: Desk, latest: pd.DataFrame) -> Commit | None:
    """Freeze the submissions heard by the cut-off in the ledger; None if they are there already."""
    rows = latest.rename(columns={"category": "item"})[[NODE, PERIOD, "item", VALUE]]
    frozen = rows.assign(measure=desk.company.measure, unit=desk.currency, value=rows[VALUE].astype("Int64"))
    if frozen.empty:
        return None
    return desk.ledger.commit(
        "submission",
        frozen,
        author=desk.author,
        message=f"{desk.cycle}: heard by {desk.params.collect_as_of}",
    )


def field_estimate(desk: Desk) -> tuple[pd.DataFrame, str]:
    """Find what the field expects of each leaf and month, and say how it was heard.

    Submissions where the company collects them; else what has closed plus the weighted
    open deals of the last snapshot by the cut-off; else nothing.

    Returns
    -------
    pd.DataFrame
        Columns node, period, source (`field`), value (minor units).
    str
        `submissions`, `pipeline` or `nobody has said`.
    """
    latest = field_submissions(desk)
    if len(latest):
        return field_forecast(latest), "submissions"
    deals = (
        snapshot(desk.table("opportunities"), as_of=desk.params.collect_as_of)
        if desk.has("opportunities")
        else None
    )
    if deals is not None and len(deals):
        sold = desk.table("transactions")[[NODE, DATE, VALUE]]
        heard = pipeline_forecast(deals, sold, desk.months, desk.calendar, as_of=desk.params.collect_as_of)
        return heard[heard[NODE].isin(desk.tree.leaves)], "pipeline"
    return pd.DataFrame(columns=[NODE, PERIOD, SOURCE, VALUE]), "nobody has said"


def gather_estimates(desk: Desk) -> pd.DataFrame:
    """Put target, field and baseline under each other: columns node, period, source, value."""
    history = desk.history()
    parts = [
        to_long(read_targets(desk)).assign(source=TARGET),
        field_estimate(desk)[0],
        to_long(baseline(history, desk.months, desk.calendar)).assign(source=BASELINE),
    ]
    some = [part[[NODE, PERIOD, SOURCE, VALUE]].astype({VALUE: float}) for part in parts if len(part)]
    return pd.concat(some, ignore_index=True)


def learn_trust(desk: Desk, *, quarters: int = 8) -> pd.DataFrame:
    """Learn from past quarters how far each source was off: see `track_records`.

    The field's record is of what each leaf said itself, never of a filled gap.
    """
    past = past_forecasts(desk, quarters=quarters)
    names = {TOP_DOWN: TARGET, BASELINE: BASELINE}
    kept = past[past[SOURCE].isin(names)].assign(source=lambda rows: rows[SOURCE].map(names))
    said = past_submissions(desk, past_quarters(desk, quarters)).replace({SOURCE: {BOTTOM_UP: FIELD}})
    spoken = said[said[NODE].isin(desk.tree.leaves)]
    return track_records(pd.concat([kept, spoken], ignore_index=True), past_actuals(desk), desk.tree.level)


def weigh(desk: Desk, estimates: pd.DataFrame, records: pd.DataFrame, *, leadership: float) -> pd.DataFrame:
    """Give every estimate its variance from the track records and the dial: see `with_variance`."""
    return with_variance(estimates, records, desk.tree.level, leadership=leadership)


def publish_plan(desk: Desk, plan: Plan) -> str:
    """Commit the plan and sign it off as a new version; return the version's name.

    A plan that the ledger holds already keeps its version, so a re-run changes nothing.
    """
    commit = desk.ledger.commit(
        "plan", cells(desk, plan.commitments), author=desk.author, message=f"{desk.cycle}: reconciled plan"
    )
    signed = desk.ledger.sign_offs()
    mine = signed[signed["name"].str.startswith(f"{desk.cycle} plan v")]
    if commit is None and len(mine):
        return str(mine["name"].iloc[-1])
    name = f"{desk.cycle} plan v{len(mine) + 1}"
    desk.ledger.sign_off(name, kind="plan", author=desk.author, note="reconciled and adding up to the cent")
    return name
