"""From estimates to a published plan: gather the sources, weigh them, commit and sign."""

import numpy as np
import pandas as pd

from spms_lib.cycle.baselines import baseline_values
from spms_lib.cycle.calibration import field_in_use, past_field_in_use
from spms_lib.cycle.collection.process import field_estimate, manager_estimates, past_manager_estimates
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import (
    BOTTOM_UP,
    TOP_DOWN,
    past_actuals,
    past_forecasts,
    past_quarters,
    past_submissions,
)
from spms_lib.cycle.limits import limits_in_force
from spms_lib.cycle.targets import cells, holds_in_force, read_targets
from spms_lib.reconcile.explain import chain, explain
from spms_lib.reconcile.gaps import gap_decisions
from spms_lib.reconcile.plan import BOUND, CUT, HOLD, ROUNDING, Plan, reconcile
from spms_lib.reconcile.trust import track_records, with_variance
from spms_lib.store.commits import Commit
from spms_lib.store.decisions import record_decisions
from spms_lib.tables import LEVEL, NAME, NODE, PERIOD, SOURCE, VALUE, to_long, to_wide

TARGET, FIELD, BASELINE = "target", "field", "baseline"


def gather_estimates(desk: Desk) -> pd.DataFrame:
    """Put target, field, managers' overrides and baseline under each other: columns node, period, source, value.

    The field's forecast is corrected only where the params say `apply_correction`.
    """
    parts = [
        to_long(read_targets(desk)).assign(source=TARGET),
        field_in_use(desk, field_estimate(desk)[0]),
        manager_estimates(desk),
        to_long(baseline_values(desk)).assign(source=BASELINE),
    ]
    some = [part[[NODE, PERIOD, SOURCE, VALUE]].astype({VALUE: float}) for part in parts if len(part)]
    return pd.concat(some, ignore_index=True)


def learn_trust(desk: Desk, *, quarters: int = 8) -> pd.DataFrame:
    """Learn from past quarters how far each source was off: see `track_records`.

    The field's record is of what each leaf said itself, never of a filled gap; the managers' is of what they changed.
    """
    past, when = past_forecasts(desk, quarters=quarters), past_quarters(desk, quarters)
    names = {TOP_DOWN: TARGET, BASELINE: BASELINE}
    kept = past[past[SOURCE].isin(names)].assign(source=lambda rows: rows[SOURCE].map(names))
    said = past_submissions(desk, when).replace({SOURCE: {BOTTOM_UP: FIELD}})
    spoken = past_field_in_use(desk, said[said[NODE].isin(desk.tree.leaves)], quarters=quarters)
    parts = [part for part in (kept, spoken, past_manager_estimates(desk, when)) if len(part)]
    return track_records(pd.concat(parts or [kept], ignore_index=True), past_actuals(desk), desk.tree.level)


def weigh(desk: Desk, estimates: pd.DataFrame, records: pd.DataFrame, *, leadership: float) -> pd.DataFrame:
    """Give every estimate its variance from the track records and the dial: see `with_variance`."""
    return with_variance(estimates, records, desk.tree.level, leadership=leadership)


def reconcile_quarter(desk: Desk, weighed: pd.DataFrame) -> Plan:
    """Reconcile the quarter's estimates within its holds, floors and caps: see `reconcile`."""
    bounds = limits_in_force(desk, read_targets(desk))
    return reconcile(
        desk.tree,
        weighed,
        holds=holds_in_force(desk),
        lower=bounds.lower,
        upper=bounds.upper,
        cuts=bounds.cuts,
    )


def publish_plan(desk: Desk, plan: Plan) -> str:
    """Commit the plan and sign it off as a new version; return the version's name.

    A plan that was signed off last keeps its version, so a re-run changes nothing, and a plan
    that was committed but not signed is signed now.
    """
    desk.ledger.commit(
        "plan", cells(desk, plan.commitments), author=desk.author, message=f"{desk.cycle}: reconciled plan"
    )
    signed = desk.ledger.sign_offs()
    mine = signed[signed["name"].str.startswith(f"{desk.cycle} plan v")]
    if len(mine):
        last = str(mine["name"].iloc[-1])
        if _quarter_plan(desk, as_of=last).equals(_quarter_plan(desk)):
            return last
    name = f"{desk.cycle} plan v{len(mine) + 1}"
    desk.ledger.sign_off(name, kind="plan", author=desk.author, note="reconciled and adding up to the cent")
    return name


def _quarter_plan(desk: Desk, *, as_of: str | None = None) -> pd.DataFrame:
    state = desk.ledger.state("plan", as_of=as_of)
    mine = state[PERIOD].isin(desk.months) & (state["measure"] == desk.company.measure)
    return state.loc[mine, [NODE, PERIOD, VALUE]].reset_index(drop=True)


# -- tables for the notebooks --------------------------------------------------------------------


def named(desk: Desk, table: pd.DataFrame) -> pd.DataFrame:
    """Put the printed name of each node in front."""
    return table.assign(name=table[NODE].map(desk.tree.name))[
        [NODE, NAME, *[c for c in table if c not in {NODE, NAME}]]
    ]


def below_the_top(desk: Desk, gaps: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows for a figure: without the company, which would dwarf the others.

    Returns
    -------
    pd.DataFrame
        `gaps` and field_scaled: what was said, raised to the targets of those who have not spoken.
    """
    rows = gaps[gaps[NODE] != desk.tree.root]
    return rows.assign(
        field_scaled=rows["field"] * rows["target"] / rows["target_said"].where(rows["target_said"] > 0)
    )


def trust_table(desk: Desk, records: pd.DataFrame) -> pd.DataFrame:
    """Average track records by source and level: source, level, nodes, periods, bias_ratio, error ratios."""
    rows = records.assign(level=records[NODE].map(desk.tree.level))
    place = rows[LEVEL].map({name: number for number, name in enumerate(desk.tree.level_names)})
    rows = rows.assign(place=place).sort_values([SOURCE, "place"], kind="stable")
    grouped = rows.groupby([SOURCE, LEVEL], sort=False)
    return grouped.agg(
        nodes=(NODE, "nunique"),
        periods=("periods", "sum"),
        bias_ratio=("bias_ratio", "mean"),
        error_ratio=("error_ratio", "mean"),
        trust_error_ratio=("trust_error_ratio", "mean"),
    ).reset_index()


def why_moved(desk: Desk, plan: Plan, weighed: pd.DataFrame) -> pd.DataFrame:
    """Explain the company's way from target to plan by what pulled, as steps of a bridge.

    Each source pulls by its weight in the company's number times its distance from the
    target; weights are read off the attribution, so the steps sum exactly.

    Returns
    -------
    pd.DataFrame
        Columns label, value (minor units), kind (total or change).
    """
    root, months = desk.tree.root, desk.months
    parts = explain(plan, root, months).set_index(SOURCE)[VALUE]
    mine = weighed[(weighed[NODE] == root) & (weighed[SOURCE] == TARGET)]
    target = float(mine[VALUE].sum())
    total = float(parts.sum())
    shown = [name for name in parts.index if name not in {TARGET, ROUNDING, HOLD, BOUND, CUT}]
    own = {name: _root_view(desk, weighed, name) for name in shown}
    steps = [("Target", target, "total")]
    moved = 0.0
    for name in shown:
        view = own[name]
        pull = float(parts[name]) * (1.0 - target / view) if view else 0.0
        steps.append((name, pull, "change"))
        moved += pull
    steps.append(("shares, limits and rounding", total - target - moved, "change"))
    steps.append(("Plan", total, "total"))
    return pd.DataFrame(steps, columns=["label", "value", "kind"])


def _root_view(desk: Desk, weighed: pd.DataFrame, source: str) -> float:
    """Return what a source says of the whole company, scaled from the leaves that it speaks of."""
    mine = weighed[weighed[SOURCE] == source]
    top = mine[mine[NODE] == desk.tree.root]
    if len(top):
        return float(top[VALUE].sum())
    leaves = mine[mine[NODE].isin(desk.tree.leaves)]
    keys = [NODE, PERIOD]
    targets = weighed[weighed[SOURCE] == TARGET]
    spoken = leaves.merge(targets[[*keys, VALUE]], on=keys, suffixes=("", "_target"))
    whole = float(targets[targets[NODE] == desk.tree.root][VALUE].sum())
    base = float(spoken["value_target"].sum())
    return float(spoken[VALUE].sum()) * whole / base if base else 0.0


def largest_moves(desk: Desk, plan: Plan, estimates: pd.DataFrame) -> pd.DataFrame:
    """List the leaves whose plan differs most from their target: node, target, plan, moved (minor units)."""
    leaves = desk.tree.leaves
    target = to_wide(estimates[estimates[SOURCE] == TARGET]).loc[leaves].sum(axis=1)
    planned = plan.commitments.loc[leaves].sum(axis=1)
    table = pd.DataFrame({NODE: leaves, "target": target.to_numpy(), "plan": planned.to_numpy()})
    table["moved"] = table["plan"] - table["target"]
    return table.iloc[np.argsort(-table["moved"].abs().to_numpy(), kind="stable")].reset_index(drop=True)


def way_down(desk: Desk, plan: Plan, node: str) -> pd.DataFrame:
    """Follow the quarter from the company down to a node: name, target, field, baseline, plan, share of the node above."""
    return chain(plan, node, desk.months).reindex(columns=[NAME, TARGET, FIELD, BASELINE, "plan", "share"])


def node_owners(desk: Desk) -> pd.Series:
    """Name who answers for each node: its owner, else the nearest owner above, else sales operations."""
    owner = desk.tree.owner.copy()
    for node in map(str, desk.tree.nodes):
        above = desk.tree.parents[node]
        if pd.isna(owner[node]) and above is not None:
            owner[node] = owner[above]
    return owner.fillna("Sales Operations")


def proposed_decisions(desk: Desk, gaps: pd.DataFrame, *, gap_ratio: float) -> pd.DataFrame:
    """Propose decisions on the gaps below the company, due by the end of the quarter's first month."""
    below = gaps[gaps[NODE] != desk.tree.root]
    return gap_decisions(
        below,
        cycle=desk.cycle,
        gap_ratio=gap_ratio,
        owners=node_owners(desk),
        due=desk.calendar.end(desk.months[0]),
        money=desk.money,
    )


def record_proposals(desk: Desk, proposed: pd.DataFrame) -> Commit | None:
    """Write new decisions into the ledger; one that is there keeps what its owner made of it."""
    from spms_lib.store.decisions import decisions

    known = set(decisions(desk.ledger)["decision"])
    new = proposed[~proposed["decision"].isin(known)]
    if new.empty:
        return None
    return record_decisions(
        desk.ledger, new, author=desk.author, message=f"{desk.cycle}: decisions proposed", unit=desk.currency
    )


def contributions_add_up(plan: Plan) -> bool:
    """Tell whether the parts of every node and month sum to its commitment to the cent.

    Rounding is a part too, of at most one minor unit: a larger one would hide a gap.
    """
    rows = plan.contributions
    total = rows.groupby([NODE, PERIOD])[VALUE].sum().unstack(PERIOD)
    gaps = total.reindex(index=plan.commitments.index, columns=plan.commitments.columns) - plan.commitments
    most = 1.0 + 1e-9 * float(np.abs(plan.commitments.to_numpy()).max(initial=0))
    rounded = rows.loc[rows[SOURCE] == ROUNDING, VALUE].abs()
    return bool((gaps.abs() < 0.5).all(axis=None) and (rounded <= most).all())


def plan_headline(gaps: pd.DataFrame, desk: Desk) -> str:
    """Say in one line what was planned, and how it lies to the target."""
    top = gaps[gaps[NODE] == desk.tree.root].iloc[0]
    ratio = f" ({top['moved'] / top['target']:+.1%} on target)" if top["target"] else ""
    return f"Plan {desk.money(top['plan'])}{ratio}"
