"""Capacity of a cycle: who sits where as the plan knows it, what they can sell, and how many heads targets are short of."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.errors import ParamsError
from spms_lib.goals import capacity as heads
from spms_lib.goals.baseline import growth_ratios
from spms_lib.goals.shortage import hires_needed, in_words, shortage
from spms_lib.tables import LEVEL, NAME, NODE

MONTHS_IN_QUARTER = 3


class Staff(NamedTuple):
    """The seats of one quarter, as known on a day before it.

    Attributes
    ----------
    sold
        Seats x past months, minor units; missing before a seat's first sale.
    heads, posts
        Seats x past and planned months: filled full-time posts, and the same after ramp. A seat that the roster never
        names counts as one post since its first sale, and is in `unnamed`.
    season
        Indexed by past and planned months: against the average month of a year.
    productivity
        Indexed by seat: minor units per full post and average month of the planned quarter.
    growth
        Ratio by which the planned quarter stands above the months that productivity was learnt from.
    groups
        Indexed by seat: node of the review level that it belongs to.
    """

    past: list[str]
    planned: list[str]
    sold: pd.DataFrame
    heads: pd.DataFrame
    posts: pd.DataFrame
    season: pd.Series
    productivity: pd.Series
    growth: float
    groups: pd.Series
    unnamed: list[str]

    @property
    def capacity(self) -> pd.DataFrame:
        """Seats x planned months: what those who are there can sell if nobody comes or leaves."""
        return heads.capacity(self.posts[self.planned], self.productivity, self.season)


def known_roster(desk: Desk, day: dt.date) -> pd.DataFrame:
    """Return the roster as it was known on a day: who had started; nobody's end that came later.

    A roster does not say when a hire or an end became known. Decided hires go into the params instead.
    """
    rows = desk.table("roster")
    if rows.empty:
        return rows
    begun = rows[rows["start"] <= pd.Timestamp(day)]
    return begun.assign(end=begun["end"].where(begun["end"] <= pd.Timestamp(day)))


def lead_day(desk: Desk, quarter: str) -> dt.date:
    """Find the day before a quarter on which its plan would have been made, by the lead of this cycle."""
    lead = desk.calendar.start(desk.cycle) - desk.params.plan_as_of
    return desk.calendar.start(quarter) - lead


def staff_of(desk: Desk, quarter: str, *, as_of: dt.date, hires: bool = False) -> Staff | None:
    """Gather who can sell in a quarter and how much, from what was known on a day.

    Parameters
    ----------
    hires
        True adds hires of the params that name a seat.

    Returns
    -------
    Staff or None
        None where the company keeps no roster, or nobody had started or sold by that day.
    """
    roster = known_roster(desk, as_of)
    sold = desk.actuals(until=as_of)
    if roster.empty or sold.empty:
        return None
    assumed, planned = desk.params.capacity, desk.calendar.months(quarter)
    past = list(sold.columns[-MONTHS_IN_QUARTER * assumed.quarters :])
    coming = pd.concat([roster, _hires_as_roster(desk)]) if hires and assumed.hires else roster
    seats = (
        sold.dropna(how="all").index.union(pd.Index(coming[NODE].unique())).intersection(desk.carrier.index)
    )
    recent = sold[past].reindex(seats)
    by_head, by_post = heads.heads_and_posts(
        coming, [*past, *planned], desk.calendar, first_ratio=assumed.first_ratio
    )
    unnamed = seats.difference(by_post.index)
    whole = pd.Series(np.where(recent.loc[unnamed].notna().any(axis=1), 1.0, np.nan), index=unnamed)
    lone = pd.DataFrame(dict.fromkeys(by_post.columns, whole))
    groups = _groups(desk, seats)
    by_head, by_post = (pd.concat([table, lone]).reindex(seats) for table in (by_head, by_post))
    total = pd.Series(desk.rolled_up(sold).loc[[desk.tree.root]].iloc[0])
    season = heads.month_factors(total, [*past, *planned])
    distance = len(past) / 2.0 + _months_ahead(desk, past, planned) + MONTHS_IN_QUARTER / 2.0
    growth = float(growth_ratios(desk.rolled_up(sold))[desk.tree.root] ** (distance / 12.0))
    own = heads.seat_productivity(recent, by_post[past].fillna(0.0), season, groups)
    return Staff(
        past, planned, recent, by_head, by_post, season, own * growth, growth, groups, unnamed.tolist()
    )


def _groups(desk: Desk, seats: pd.Index) -> pd.Series:
    carrier = desk.carrier.reindex(seats)
    return carrier.map(desk.tree.ancestor(desk.review_level)).fillna(desk.tree.root)


def _months_ahead(desk: Desk, past: list[str], planned: list[str]) -> int:
    """Count the months between the last one known and the first one planned."""
    return len(desk.calendar.range(past[-1], planned[0])) - 2


def _hires_as_roster(desk: Desk) -> pd.DataFrame:
    """Turn decided hires of seats into rows of the roster."""
    rows = [
        (hire.node, pd.Timestamp(desk.calendar.start(hire.month)), pd.NaT, hire.heads, hire.ramp_months)
        for hire in desk.params.capacity.hires
        if hire.node in desk.tree.leaves
    ]
    return pd.DataFrame(rows, columns=[NODE, "start", "end", "fte", "ramp_months"])


def expected_by_staff(desk: Desk, quarter: str, *, as_of: dt.date, hires: bool = False) -> pd.Series | None:
    """Expect each node's sales of a quarter from who sits where; None without a roster, missing for unknown seats."""
    staff = staff_of(desk, quarter, as_of=as_of, hires=hires)
    if staff is None:
        return None
    by_seat = staff.capacity.sum(axis=1, min_count=len(staff.planned))
    return desk.rolled_up(by_seat.to_frame(quarter))[quarter]


# -- capacity beside every target ----------------------------------------------------------------


def assumptions(desk: Desk) -> pd.DataFrame:
    """Say what is assumed about people, and where each number comes from: columns what, value, unit, origin."""
    assumed, record = desk.params.capacity, _leave_record(desk)
    leave, backfill = _leaving(desk)
    own = f"roster, two years: {record['leavers']:.0f} leavers in {record['head_months']:,.0f} head-months"
    rows = [
        ("Share of people who leave in a month", leave, "ratio", own if assumed.leave_ratio is None else "params"),
        ("Months until a seat is filled again", float(backfill), "months",
         "roster: median" if assumed.backfill_months is None else "params"),
        ("Productivity of a newcomer on the first day", assumed.first_ratio, "ratio", "params"),
        ("Months of ramp", float(_ramp_months(desk)), "months", "roster: median"),
        ("Quarters from which productivity is learnt", float(assumed.quarters), "quarters", "params"),
        ("Heads whose hire is decided", float(sum(hire.heads for hire in assumed.hires)), "heads", "params"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["what", "value", "unit", "origin"])


def productivity_table(desk: Desk, staff: Staff) -> pd.DataFrame:
    """Show what a full post sells in an average month, by node of the review level: see `full_post_productivity`.

    Raised to the level of the planned quarter. Columns node, name, seats, median, productivity.
    """
    named_seats = staff.sold.index.difference(staff.unnamed)
    table = heads.full_post_productivity(
        staff.sold.loc[named_seats],
        staff.posts.loc[named_seats, staff.past],
        staff.heads.loc[named_seats, staff.past],
        staff.season,
        staff.groups.loc[named_seats],
    )
    grown = table.assign(**{key: table[key] * staff.growth for key in ("median", "productivity")})
    name = grown["group"].map(desk.tree.name).fillna("All")
    return grown.rename(columns={"group": NODE}).assign(**{NAME: name})[
        [NODE, NAME, "seats", "median", "productivity"]
    ]


def node_capacity(desk: Desk, staff: Staff) -> pd.DataFrame:
    """Compute every node's capacity by month: today's people, less those who leave, plus those who come.

    Returns
    -------
    pd.DataFrame
        Nodes x months of the quarter, float minor units; missing where no seat below is known.
    """
    leave, backfill = _leaving(desk)
    months = len(staff.planned)
    ahead = _months_ahead(desk, staff.past, staff.planned)
    staying = heads.staying_ratios(
        ahead + months, leave_ratio=leave, backfill_months=backfill, ramp=_ramp(desk)
    )[ahead:]
    by_seat = heads.capacity(staff.posts[staff.planned], staff.productivity, staff.season, staying=staying)
    unnamed = by_seat.index.isin(staff.unnamed)  # nobody is known to sit there, so nobody leaves
    by_seat.loc[unnamed] = staff.capacity.loc[unnamed]
    total = desk.rolled_up(by_seat)
    for node, more in _hires_above(desk, staff).items():
        total.loc[desk.tree.path(str(node))] += more
    return total


def capacity_against_targets(desk: Desk, targets: pd.DataFrame) -> pd.DataFrame:
    """Set capacity beside every target: see `shortage`.

    Parameters
    ----------
    targets
        Nodes x months, whole minor units.

    Returns
    -------
    pd.DataFrame
        Columns level, node, name, target, capacity, gap, months_short, from_month, short_heads, says; without a roster
        capacity and heads are missing, and `says` tells why.
    """
    staff = present_staff(desk)
    if staff is None:
        table = shortage(targets, targets * np.nan, targets * np.nan)
        table["says"] = "nobody knows the capacity: there is no roster"
    else:
        table = shortage(targets.astype(float), node_capacity(desk, staff), per_head(desk, staff))
    placed = table.assign(**{LEVEL: table[NODE].map(desk.tree.level), NAME: table[NODE].map(desk.tree.name)})
    first = [LEVEL, NODE, NAME]
    return placed[[*first, *[name for name in table if name not in first]]]


def present_staff(desk: Desk) -> Staff | None:
    """Gather who can sell in the planned quarter, decided hires included; None without a roster."""
    for hire in desk.params.capacity.hires:
        if hire.node not in desk.tree.nodes or hire.month not in desk.months:
            raise ParamsError(
                f"A hire is for '{hire.node}' in {hire.month}, which is no node or no month of {desk.cycle}.",
                where="capacity, hires",
                remedy=f"Use a node of the plan and one of {', '.join(desk.months)}.",
            )
    return staff_of(desk, desk.cycle, as_of=desk.params.plan_as_of, hires=True)


def per_head(desk: Desk, staff: Staff) -> pd.DataFrame:
    """Say what one full post sells in each month under each node: the mean over the seats below of their group's."""
    table = productivity_table(desk, staff).set_index(NODE)["productivity"]
    own = _groups(desk, desk.tree.leaves).map(table).fillna(table["all"])
    sums = desk.tree.roll_up(pd.DataFrame({"sum": own, "count": own.notna().astype(float)}))
    mean = sums["sum"] / sums["count"].where(sums["count"] > 0)
    return pd.DataFrame({month: mean * staff.season[month] for month in staff.planned})


def hiring(desk: Desk, table: pd.DataFrame) -> pd.DataFrame:
    """Say for the company and the review level whom to hire now, and when to have hired: see `hires_needed`."""
    staff = present_staff(desk)
    columns = [NODE, NAME, "short_heads", "hire_now", "ramped_if_hired_by"]
    if staff is None:
        return pd.DataFrame(columns=columns)
    rows = table[table[NODE].isin([desk.tree.root, *desk.tree.at_level(desk.review_level)])]
    needed = hires_needed(rows, per_head(desk, staff), ramp=_ramp(desk))
    return needed.assign(**{NAME: needed[NODE].map(desk.tree.name)})[columns]


def capacity_curve(desk: Desk, targets: pd.DataFrame) -> pd.DataFrame:
    """Lay target and capacity of the company out by month: columns period, target, capacity, heads, posts.

    Capacity, heads and posts are missing without a roster.
    """
    root, staff = desk.tree.root, present_staff(desk)
    table = pd.DataFrame({"period": desk.months, "target": targets.loc[root, desk.months].to_numpy(float)})
    if staff is None:
        return table.assign(capacity=np.nan, heads=np.nan, posts=np.nan)
    return table.assign(
        capacity=node_capacity(desk, staff).loc[root, desk.months].to_numpy(float),
        heads=staff.heads[desk.months].sum().to_numpy(float),
        posts=staff.posts[desk.months].sum().to_numpy(float),
    )


def capacity_sentences(desk: Desk, table: pd.DataFrame) -> list[str]:
    """Answer in one sentence for the company and for each node of the review level."""
    if table["capacity"].isna().all():
        return [in_words(str(table[NAME].iloc[0]), str(table["says"].iloc[0]))]
    rows = table[table[NODE].isin([desk.tree.root, *desk.tree.at_level(desk.review_level)])]
    return [in_words(str(row[NAME]), str(row["says"])) for row in rows.to_dict("records")]


def _hires_above(desk: Desk, staff: Staff) -> dict[str, pd.Series]:
    """Compute what decided hires add that name no seat: node to minor units by month."""
    found: dict[str, pd.Series] = {}
    each = per_head(desk, staff)
    for hire in desk.params.capacity.hires:
        if hire.node in desk.tree.leaves:
            continue
        row = pd.DataFrame(
            [("hire", pd.Timestamp(desk.calendar.start(hire.month)), pd.NaT, hire.heads, hire.ramp_months)],
            columns=[NODE, "start", "end", "fte", "ramp_months"],
        )
        _, posts = heads.heads_and_posts(
            row, staff.planned, desk.calendar, first_ratio=desk.params.capacity.first_ratio
        )
        more = pd.Series(posts.iloc[0] * each.loc[[hire.node]].iloc[0])
        found[hire.node] = more.add(found.get(hire.node, 0.0))
    return found


def _leave_record(desk: Desk) -> pd.Series:
    roster = known_roster(desk, desk.params.plan_as_of)
    return heads.leave_record(roster, until=pd.Timestamp(desk.params.plan_as_of))


def _leaving(desk: Desk) -> tuple[float, int]:
    """Find the ratio that leaves in a month and the months until a seat is filled again."""
    assumed, record = desk.params.capacity, _leave_record(desk)
    leave = float(record["leave_ratio"]) if assumed.leave_ratio is None else assumed.leave_ratio
    gap = record["backfill_months"]
    known = MONTHS_IN_QUARTER if pd.isna(gap) else round(float(gap))
    return leave, known if assumed.backfill_months is None else assumed.backfill_months


def _ramp_months(desk: Desk) -> int:
    months = known_roster(desk, desk.params.plan_as_of)["ramp_months"].fillna(0.0)
    return round(float(months.median())) if len(months) else 0


def _ramp(desk: Desk) -> heads.Floats:
    """Productivity of a newcomer in the first, second ... month, at its middle."""
    months = _ramp_months(desk)
    return heads.ramp_ratio(
        np.arange(months, dtype=np.float64) + 0.5,
        np.full(months, float(months)),
        desk.params.capacity.first_ratio,
    )
