"""Duties: who does which step by when, what is done, due or late, and what is missing in the sharing out."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd

ROLES: Final = ("responsible", "accountable", "consulted", "informed")
DONE, DUE, LATE, UNDATED = "done", "due", "late", "no date"
FINDING, WARNING = "finding", "warning"
NUMBER: Final = ("layers", "targets", "plan")
APPROVAL: Final = ("sign-off",)
_BETWEEN: Final = re.compile(r"\s*[,;+/]\s*")


def names(text: object) -> list[str]:
    """Split a cell of a RACI table into the people or roles it names.

    Examples
    --------
    >>> names("CRO + CFO, Sales Operations"), names("")
    (['CRO', 'CFO', 'Sales Operations'], [])
    """
    return [] if _empty(text) else [part for part in _BETWEEN.split(str(text).strip()) if part]


def task_states(duties: pd.DataFrame, done: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Tell of every step whether it is done, due or late on a day.

    Parameters
    ----------
    duties
        Columns step, responsible, accountable, due (day; may be missing).
    done
        Columns step, done_at (time), done_by: the steps that are fulfilled. What was done after
        the end of `as_of` is not done yet.
    as_of
        Day of the look. A step is late from the day after its due day.

    Returns
    -------
    pd.DataFrame
        Columns step, responsible, accountable, due, state (done, due, late, no date),
        days (until the due day, negative when late; missing when done or without a day), when
        (in words), done_at, done_by; in order of the due day, undated last.

    Examples
    --------
    >>> duties = pd.DataFrame(
    ...     {"step": ["cascade"], "responsible": ["Ops"], "accountable": ["CRO"], "due": [dt.date(2026, 7, 3)]}
    ... )
    >>> nothing = pd.DataFrame({"step": [], "done_at": [], "done_by": []})
    >>> for day in (dt.date(2026, 7, 1), dt.date(2026, 7, 3), dt.date(2026, 7, 4)):
    ...     print(task_states(duties, nothing, as_of=day)["when"].item())
    due in 2 days
    due today
    late by 1 day
    """
    past = done[pd.to_datetime(done["done_at"]) < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    fulfilled = past.drop_duplicates("step").set_index("step")
    rows = []
    for row in duties.to_dict("records"):
        step, day = row["step"], row["due"]
        at, by = fulfilled.loc[step, ["done_at", "done_by"]] if step in fulfilled.index else (pd.NaT, None)
        days = None if _empty(day) else (pd.Timestamp(day).date() - as_of).days
        state = _state(days, finished=step in fulfilled.index)
        left = days if state in {DUE, LATE} else None
        who = (row["responsible"], row["accountable"], day)
        rows.append((step, *who, state, left, _when(state, left), at, by))
    columns = ["step", "responsible", "accountable", "due", "state", "days", "when", "done_at", "done_by"]
    table = pd.DataFrame(rows, columns=columns).astype(
        {"days": "Int64", "done_at": "datetime64[us]", "done_by": "object"}
    )
    order = pd.to_datetime(table["due"]).sort_values(kind="stable", na_position="last").index
    return table.loc[order].reset_index(drop=True)


def check_duties(duties: pd.DataFrame, *, needed: Mapping[str, str]) -> pd.DataFrame:
    """Check that the steps of the cycle are shared out so that somebody can be asked.

    Parameters
    ----------
    duties
        Columns step, the four `ROLES`, due, done_when (what fulfils the step).
    needed
        What must be fulfilled: the name of its step, for steps that nobody may forget.

    Returns
    -------
    pd.DataFrame
        Columns step, check (one accountable, responsible, dated, once, present, four eyes),
        severity (finding, or warning for four eyes), passed, detail. Four eyes: nobody is
        accountable both for a number and for its approval.

    References
    ----------
    RACI: one role answers for a step, at least one does it; others are asked or told.

    Examples
    --------
    >>> duties = pd.DataFrame(
    ...     [("cascade", "Ops", "CRO + CFO", "", "", dt.date(2026, 7, 3), "targets")],
    ...     columns=["step", *ROLES, "due", "done_when"],
    ... )
    >>> table = check_duties(duties, needed={"plan": "reconciliation"})
    >>> table[table["passed"].eq(False)][["step", "check", "detail"]].values.tolist()
    [['cascade', 'one accountable', '2 answer for it: CRO, CFO'], ['reconciliation', 'present', 'nobody is asked to do it']]
    """
    rows: list[tuple[str, str, str, bool, str]] = []
    counts = duties["step"].value_counts()
    for row in duties.to_dict("records"):
        step, answers, does = row["step"], names(row["accountable"]), names(row["responsible"])
        several = (
            f"{len(answers)} answer for it: {', '.join(answers)}" if answers else "nobody answers for it"
        )
        rows += [
            (
                step,
                "one accountable",
                FINDING,
                len(answers) == 1,
                answers[0] if len(answers) == 1 else several,
            ),
            (step, "responsible", FINDING, bool(does), ", ".join(does) or "nobody does it"),
            (
                step,
                "dated",
                FINDING,
                not _empty(row["due"]),
                "no due day" if _empty(row["due"]) else str(row["due"]),
            ),
        ]
    rows += [
        (str(step), "once", FINDING, False, f"stands {count} times")
        for step, count in counts.items()
        if count > 1
    ]
    there = set(duties["done_when"])
    rows += [
        (step, "present", FINDING, False, "nobody is asked to do it")
        for what, step in needed.items()
        if what not in there
    ]
    rows += _four_eyes(duties)
    return pd.DataFrame(rows, columns=["step", "check", "severity", "passed", "detail"])


def tasks_by_person(duties: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """List what each person or role has to do, and what of it is open.

    Parameters
    ----------
    duties
        Columns step and the four `ROLES`.
    tasks
        From `task_states`.

    Returns
    -------
    pd.DataFrame
        Columns person, the four roles (steps, with commas), open (steps the person is responsible
        or accountable for and that are not done), late (those of them that are late), next_due (day);
        in order of the first mention.
    """
    held = [
        (person, role, row["step"])
        for row in duties.to_dict("records")
        for role in ROLES
        for person in names(row[role])
    ]
    state = tasks.drop_duplicates("step").set_index("step")
    rows = []
    for person in dict.fromkeys(one for one, _, _ in held):
        mine = {role: [step for who, kind, step in held if (who, kind) == (person, role)] for role in ROLES}
        own = state.loc[_unique([*mine["responsible"], *mine["accountable"]])]
        left = own[own["state"] != DONE]
        days = left["due"].dropna()
        steps = (", ".join(_unique(mine[role])) for role in ROLES)
        late = int((left["state"] == LATE).sum())
        rows.append((person, *steps, len(left), late, min(days) if len(days) else None))
    return pd.DataFrame(rows, columns=["person", *ROLES, "open", "late", "next_due"])


def _four_eyes(duties: pd.DataFrame) -> list[tuple[str, str, str, bool, str]]:
    """Compare who answers for the numbers with who answers for each approval."""
    setters = {
        name: row["step"]
        for row in duties[duties["done_when"].isin(NUMBER)].to_dict("records")
        for name in names(row["accountable"])
    }
    rows = []
    for row in duties[duties["done_when"].isin(APPROVAL)].to_dict("records"):
        both = [name for name in names(row["accountable"]) if name in setters]
        detail = f"{both[0]} also answers for '{setters[both[0]]}'" if both else "approved by somebody else"
        rows.append((str(row["step"]), "four eyes", WARNING, not both, detail))
    return rows


def _state(days: int | None, *, finished: bool) -> str:
    if finished:
        return DONE
    if days is None:
        return UNDATED
    return DUE if days >= 0 else LATE


def _when(state: str, days: int | None) -> str:
    if days is None:
        return state
    if days == 0:
        return "due today"
    count = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"due in {count}" if state == DUE else f"late by {count}"


def _unique(steps: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(steps))


def _empty(value: Any) -> bool:
    return value is None or value == "" or bool(pd.isna(value))
