"""Recognition of a cycle: the plan's awards over the measures that pay knows, and a leaderboard of peers."""

import datetime as dt

import pandas as pd

from spms_lib.cycle.collection.heard import submissions_heard
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.pay.behaviour import attained
from spms_lib.cycle.pay.paid import Paid
from spms_lib.errors import PlanError
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.recognition.awards import awards
from spms_lib.incentives.recognition.board import freeze, leaderboard
from spms_lib.incentives.recognition.rules import award_rules_from_dict
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE

ATTAINMENT, SALES, TENURE, FORECAST, ACTUAL = "attainment", "sales", "tenure_months", "forecast", "actual"


def measures_of(desk: Desk, paid: Paid, *, until: dt.date, quarters: int = 8) -> pd.DataFrame:
    """Measure everybody by quarter, for awards and leaderboards.

    Past quarters are those of the seat, credited to the payee who sits in it now only as long as
    the payee has been in it; a quarter in which the payee started is not judged. This quarter's
    attainment is the one of the pay, where the plan is judged by a quota.

    Returns
    -------
    pd.DataFrame
        payee, period (quarter), measure (attainment, sales in currency units, tenure_months, forecast and
        actual in currency units, the first call of the quarter), value; missing means not known.
    """
    seats = paid.payees.set_index("payee")
    rows = attained(desk, until=until, quarters=quarters).rename(columns={"payee": NODE, "interval": PERIOD})
    rows = seats[[NODE, "start"]].reset_index().merge(rows, on=NODE)
    first = {name: pd.Timestamp(desk.calendar.start(name)) for name in rows[PERIOD].unique()}
    begins = pd.to_datetime(rows[PERIOD].map(first))
    rows["start"] = pd.to_datetime(rows["start"])
    rows = rows[rows["start"].isna() | (rows["start"] <= begins)].assign(begins=begins)
    tenure = (rows["begins"] - rows["start"]).dt.days / 30.4375
    table = paid.table(desk).set_index("payee")
    now = rows[PERIOD] == desk.cycle
    sold = rows["payee"].map(table["actual"].astype("float64") / desk.per_unit).where(now)
    said = rows["payee"].map(_forecasts(desk, seats)).where(now)
    if table["quota"].notna().any():  # of the pay: shared sales, days in the seat and leave count as in it
        rows[ATTAINMENT] = rows[ATTAINMENT].where(~now, rows["payee"].map(table[ATTAINMENT]))
    wide = rows[["payee", PERIOD]].assign(
        **{ATTAINMENT: rows["attainment"], TENURE: tenure, SALES: sold, FORECAST: said, ACTUAL: sold}
    )
    return wide.melt(["payee", PERIOD], var_name=MEASURE, value_name=VALUE)


def awarded(desk: Desk, plan: CompensationPlan, measures: pd.DataFrame, *, until: dt.date) -> pd.DataFrame:
    """List the awards of the quarter by the plan's rules; no rows where the plan has none."""
    block = plan.blocks.get("awards")
    if not block:
        return pd.DataFrame(columns=["payee", "award", PERIOD, "status", "evidence", "clause"])
    if not isinstance(block, list):
        raise PlanError(
            "The awards are not a list.", where=f"plan '{plan.name}', awards", remedy="List them."
        )
    found = awards(award_rules_from_dict(block), measures, calendar=desk.calendar, as_of=until)
    return found[found[PERIOD] == desk.cycle].reset_index(drop=True)


def peers(desk: Desk, paid: Paid, measures: pd.DataFrame) -> pd.DataFrame:
    """Rank the quarter's attainment among people of the same role; nobody is named who has not agreed to it."""
    roster = desk.table("roster")
    roles = (
        roster.dropna(subset="role")
        .drop_duplicates([NODE, "person"], keep="last")
        .set_index([NODE, "person"])["role"]
    )
    groups = pd.Series(
        [
            roles.get((node, person))
            for node, person in zip(paid.payees[NODE], paid.payees["person"], strict=True)
        ],
        index=paid.payees["payee"],
        dtype="str",
    )
    return leaderboard(
        measures,
        measure=ATTAINMENT,
        period=desk.cycle,
        groups=groups,
        opted_in=set(paid.payees.loc[paid.payees["person"].isin(desk.params.leaderboard), "payee"]),
        ties="shared",
    )


def frozen(desk: Desk, board: pd.DataFrame, *, until: dt.date) -> pd.DataFrame:
    """Freeze a leaderboard once the quarter is over; before that, and where nobody is ranked, it stays as it is."""
    if board.empty or until < desk.calendar.end(desk.cycle):
        return board
    return freeze(board, desk.calendar.end(desk.cycle))


def _forecasts(desk: Desk, seats: pd.DataFrame) -> pd.Series:
    """Sum up what each payee first said of the quarter: closed and commit, as the field's forecast everywhere; currency units."""
    rows = submissions_heard(desk)
    mine = rows[rows[PERIOD].isin(desk.months) & rows["category"].isin(["closed", "commit"])]
    if mine.empty:
        return pd.Series(dtype="float64")
    keys = [NODE, PERIOD, "category"]
    first = mine.sort_values("submitted_at", kind="stable").drop_duplicates(keys)
    said = first.groupby(NODE)[VALUE].sum(min_count=1) / desk.per_unit
    return seats[NODE].map(said)
