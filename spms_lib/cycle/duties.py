"""Duties of a cycle: who does what by when, and which steps the ledger or the inputs show as done."""

import datetime as dt
import json
from collections.abc import Callable, Hashable
from typing import Any, Final

import pandas as pd

from spms_lib.cycle.collection.freeze import snapshots
from spms_lib.cycle.collection.process import submissions_of_cycle
from spms_lib.cycle.collection.words import OVERRIDE, SUBMISSION
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.layers import ITEM as LAYER
from spms_lib.errors import ParamsError
from spms_lib.goals.duties import DUE, LATE, check_duties, task_states, tasks_by_person
from spms_lib.params.goals import Duty
from spms_lib.store.commits import Commit
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE

NEEDED: Final = {
    "layers": "company target",
    "targets": "cascade",
    "submission": "submissions",
    "plan": "reconciliation",
    "sign-off": "sign-off",
}
"""What every cycle has to bring about, and how its step is called where nobody is asked to do it."""
APPROACH: Final = "approach "
APPROVAL: Final = "approval"
SIGN_OFF: Final = "sign-off"


def duty_table(desk: Desk) -> pd.DataFrame:
    """Return the cycle's duties, one row each: the fields of the params, `done_when` by name where not stated."""
    rows = [{**duty.model_dump(), "done_when": duty.fulfilled_by} for duty in desk.params.duties]
    return pd.DataFrame(rows, columns=list(Duty.model_fields))


def day_of_look(desk: Desk, seen_on: str) -> dt.date:
    """Read the day on which the steps are looked at; the plan's own day if nothing is said."""
    if not seen_on:
        return desk.params.plan_as_of
    try:
        return dt.date.fromisoformat(seen_on)
    except ValueError:
        raise ParamsError(
            f"'{seen_on}' is not a day.", where="seen_on", remedy="Write it as 2026-07-04, or leave it empty."
        ) from None


def duty_states(desk: Desk, *, as_of: dt.date) -> pd.DataFrame:
    """Tell of every step whether it was done, due or late at the end of a day: see `task_states`.

    A step is done when the ledger held what fulfils it for this cycle: layers of the company's
    number, the approach, targets, a plan, submissions, a sign-off whose name starts with the
    cycle, an approval of the step itself, or any commit of the kind. `done_at` and `done_by` are
    of the newest commit that it stands on; times are UTC. Submissions also count as done
    when the table `submissions` has heard every leaf.
    """
    duties = duty_table(desk)
    kinds = {_kind(what) for what in duties["done_when"]} - {SIGN_OFF}
    states = {kind: _of_cycle(desk, desk.ledger.state(kind, as_of=as_of)) for kind in sorted(kinds)}
    found = [
        (row["step"], *proof)
        for row in duties.to_dict("records")
        if (proof := _proof(desk, row, states, as_of)) is not None
    ]
    done = pd.DataFrame(found, columns=["step", "done_at", "done_by"])
    return task_states(duties, done, as_of=as_of)


def duty_checks(desk: Desk) -> pd.DataFrame:
    """Check that every step of the cycle is shared out: see `check_duties`."""
    return check_duties(duty_table(desk), needed=NEEDED)


def duties_by_person(desk: Desk, tasks: pd.DataFrame) -> pd.DataFrame:
    """List what each person or role has to do: see `tasks_by_person`."""
    return tasks_by_person(duty_table(desk), tasks)


def approve_step(desk: Desk, step: str, *, note: str = "") -> Commit | None:
    """Put one's name to a step of the cycle as done; None if the same word is in the ledger already.

    Raises
    ------
    ParamsError
        If the cycle has no such step.
    """
    steps = [duty.step for duty in desk.params.duties]
    if step not in steps:
        raise ParamsError(
            f"There is no step '{step}' in {desk.cycle}.",
            where="duties",
            remedy=f"Steps: {', '.join(steps) or 'none yet'}.",
        )
    cell = pd.DataFrame(
        {
            NODE: [desk.tree.root],
            PERIOD: desk.cycle,
            MEASURE: desk.company.measure,
            "item": step,
            VALUE: pd.array([None], dtype="Int64"),
            "text": json.dumps({"note": note, "by": desk.author}, ensure_ascii=False),
        }
    )
    return desk.ledger.commit(APPROVAL, cell, author=desk.author, message=f"{desk.cycle}: {step} is done")


def duty_sentences(tasks: pd.DataFrame, checks: pd.DataFrame, *, as_of: dt.date) -> list[str]:
    """Say what is late, what comes next, and what is missing in the sharing out."""
    late, due = tasks[tasks["state"] == LATE], tasks[tasks["state"] == DUE]
    wrong = checks[checks["passed"].eq(other=False)]
    which = ", ".join(f"{row['step']} ({row['when']})" for row in late.to_dict("records"))
    said = [f"On {as_of}, **{len(late)}** of {len(tasks)} steps are late{': ' + which if which else ''}."]
    if tasks.empty:
        said = ["Nobody has been given a step of this cycle."]
    if len(due):
        row = due.iloc[0]
        said.append(f"Next is **{row['step']}**, {row['when']}, by {row['responsible'] or 'nobody'}.")
    said += [f"{row['step']}: {row['detail']} ({row['severity']})." for row in wrong.to_dict("records")]
    return said


def _proof(
    desk: Desk, duty: dict[Hashable, Any], states: dict[str, pd.DataFrame], day: dt.date
) -> tuple[pd.Timestamp, str] | None:
    """Find what fulfilled a step by the end of a day: when, and by whom; None if nothing did."""
    what = str(duty["done_when"])
    if what == SIGN_OFF:
        signed = desk.ledger.sign_offs()
        mine = signed[signed["name"].str.startswith(f"{desk.cycle} ")]
        mine = mine[~mine["kind"].isin([SUBMISSION, OVERRIDE])]  # snapshots of what was heard sign no plan
        return _newest(mine[mine["time"] < pd.Timestamp(day) + pd.Timedelta(days=1)])
    if what == SUBMISSION:
        return _frozen(desk, day) or _all_heard(desk, day)
    rows = states[_kind(what)]
    fits = _WHERE[what][1] if what in _WHERE else None
    return _newest(rows if fits is None else rows[fits(rows["item"], str(duty["step"]))])


def _kind(what: str) -> str:
    return _WHERE[what][0] if what in _WHERE else what


def _of_cycle(desk: Desk, state: pd.DataFrame) -> pd.DataFrame:
    return state[state[PERIOD].isin([desk.cycle, *desk.months])]


_WHERE: Final[dict[str, tuple[str, Callable[[pd.Series, str], pd.Series]]]] = {
    "layers": ("targets", lambda item, _: item.str.startswith(LAYER)),
    "targets": ("targets", lambda item, _: ~item.str.startswith(LAYER)),
    "approach": ("note", lambda item, _: item.str.startswith(APPROACH)),
    APPROVAL: (APPROVAL, lambda item, step: item == step),
}
"""What fulfils a step: the kind of commit, and which of its items; another kind counts whole."""


def _newest(rows: pd.DataFrame) -> tuple[pd.Timestamp, str] | None:
    if rows.empty:
        return None
    last = rows.sort_values("time", kind="stable").iloc[-1]
    return last["time"], str(last["author"])


def _frozen(desk: Desk, day: dt.date) -> tuple[pd.Timestamp, str] | None:
    """Tell when the cycle's submissions were frozen as they stood at the cut-off or later."""
    rows = snapshots(desk)
    rows = rows[rows["day"] >= pd.Timestamp(desk.params.collect_as_of)]
    return _newest(rows[rows["time"] < pd.Timestamp(day) + pd.Timedelta(days=1)])


def _all_heard(desk: Desk, day: dt.date) -> tuple[pd.Timestamp, str] | None:
    """Tell when the last leaf of the tree first spoke of the quarter; None while one is silent."""
    mine = submissions_of_cycle(desk)
    if mine.empty:
        return None
    mine = mine[mine["submitted_at"] < pd.Timestamp(day) + pd.Timedelta(days=1)]
    first = mine.groupby(NODE)["submitted_at"].min()
    return None if len(first) < len(desk.tree.leaves) else (first.max(), "all who submit")
