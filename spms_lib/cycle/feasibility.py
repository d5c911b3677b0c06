"""Feasibility of a cycle: the chance of every target, whether past chances came true, and who has it harder."""

import numpy as np
import pandas as pd

from spms_lib.cycle.capacity import known_roster
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_targets
from spms_lib.cycle.outlook import Outlook
from spms_lib.cycle.split import vacant_leaves
from spms_lib.cycle.targets import target_chance
from spms_lib.goals.effort import depends_on_size, effort
from spms_lib.goals.feasibility import BEYOND, EASY, UNKNOWN, Reach, chance_of_attaining, feasibility
from spms_lib.goals.honesty import brier
from spms_lib.tables import LEVEL, NAME, NODE, PERIOD, VALUE

TENURES = ((1.0, "under a year"), (3.0, "one to three years"), (np.inf, "over three years"))


def feasibility_table(desk: Desk, outlook: Outlook, targets: pd.DataFrame, reach: Reach) -> pd.DataFrame:
    """Judge the quarter's target of every node, from the company down.

    Parameters
    ----------
    targets
        Nodes x months, whole minor units.

    Returns
    -------
    pd.DataFrame
        Columns level, node, name, and those of `feasibility` for the whole quarter, then why: what a reader should
        know, such as a seat that stands empty, or a node that is `hardly known` (spread above what is expected). The difficulty of an empty seat is
        missing: nobody is there to find it hard.
    """
    target = targets[desk.months].sum(axis=1).astype(float)
    table = feasibility(target, outlook.expected, outlook.spread, reach=reach, degrees=outlook.degrees)
    vacant = table[NODE].isin(vacant_leaves(desk))
    unknown = table["class"] == UNKNOWN
    vague = outlook.spread.reindex(table[NODE]).to_numpy() > outlook.expected.reindex(table[NODE]).to_numpy()
    why = pd.Series("", index=table.index, dtype="object")
    for rows, words in (
        (vague, "hardly known"),
        (vacant, "vacant"),
        (unknown, "never sold"),
        (unknown & vacant, "vacant, never sold"),
    ):
        why = why.mask(rows, words)
    placed = table.assign(why=why, difficulty=table["difficulty"].where(~vacant))
    placed[LEVEL], placed[NAME] = table[NODE].map(desk.tree.level), table[NODE].map(desk.tree.name)
    first = [LEVEL, NODE, NAME]
    return placed[[*first, *[column for column in placed if column not in first]]]


def past_chances(desk: Desk, outlook: Outlook) -> pd.DataFrame:
    """Give past targets the chance that they would have been given then, and what came.

    Returns
    -------
    pd.DataFrame
        Columns node, level, period (quarter), target, expected, spread, degrees (of freedom: past cells of its level
        then), chance, actual, attained (1 or 0); only cells
        with a target for every month, an expectation and an actual.
    """
    past = outlook.past.dropna(subset=["expected", "spread", "actual"])
    past = past[past["degrees"].notna()]  # before the first quarter nothing was learnt
    rows = past_targets(desk, sorted(past[PERIOD].unique()))
    monthly = rows.assign(quarter=rows[PERIOD].map(desk.calendar.quarter_of).astype("object"))
    whole = monthly.groupby([NODE, "quarter"])[VALUE].agg(["sum", "size"]).reset_index()
    asked = whole[whole["size"] == len(desk.months)].rename(columns={"quarter": PERIOD, "sum": "target"})
    table = past.merge(asked[[NODE, PERIOD, "target"]], on=[NODE, PERIOD])
    chance = chance_of_attaining(
        table["target"], table["expected"], table["spread"], degrees=table["degrees"]
    )
    attained = (table["actual"] >= table["target"]).astype(float)
    columns = [NODE, LEVEL, PERIOD, "target", "expected", "spread", "degrees", "chance", "actual", "attained"]
    return table.assign(chance=chance, attained=attained)[columns]


def honesty_table(desk: Desk, past: pd.DataFrame) -> pd.DataFrame:
    """Score past chances by level, `all` last: level, n, mean_chance, attained, brier, brier_of_base_rate, skill."""
    parts = []
    for level in desk.tree.level_names:
        mine = past[past[LEVEL] == level]
        if len(mine):
            parts.append((level, brier(mine["chance"], mine["attained"])))
    if len(past):
        parts.append(("all", brier(past["chance"], past["attained"])))
    if not parts:
        return pd.DataFrame(
            columns=[LEVEL, "n", "mean_chance", "attained", "brier", "brier_of_base_rate", "skill"]
        )
    table = pd.DataFrame([score for _, score in parts]).astype({"n": "int64"})
    table.insert(0, LEVEL, [level for level, _ in parts])
    return table.reset_index(drop=True)


def tenure_groups(desk: Desk) -> pd.Series:
    """Say how long each leaf's person has been there when the plan is made: vacant, or under a year, and so on.

    Indexed by leaf; no rows without a roster.
    """
    roster = known_roster(desk, desk.params.plan_as_of)
    if roster.empty:
        return pd.Series(dtype="object")
    day = pd.Timestamp(desk.params.plan_as_of)
    there = roster[roster["end"].isna() & roster[NODE].isin(desk.tree.leaves)]
    years = ((day - there["start"]).dt.days / 365.25).groupby(there[NODE]).max().reindex(desk.tree.leaves)
    bins = [-np.inf, *(limit for limit, _ in TENURES)]
    named: pd.Series = pd.Series(pd.cut(years, bins, labels=[name for _, name in TENURES])).astype("object")
    return named.fillna("vacant")


def effort_table(desk: Desk, table: pd.DataFrame) -> pd.DataFrame:
    """Measure how differently targets weigh: by level, then on leaves by the review level and by tenure.

    Returns
    -------
    pd.DataFrame
        Columns by (level, the review level's name, or tenure) and those of `effort`.
    """
    ratios = table.set_index(NODE)["difficulty"]
    leaves = desk.tree.leaves
    area = desk.tree.ancestor(desk.review_level)[leaves].map(desk.tree.name)
    parts = [("level", desk.tree.level), (desk.review_level, area.fillna("(none)"))]
    tenure = tenure_groups(desk)
    if len(tenure):
        parts.append(("tenure", tenure))
    frames = []
    for label, groups in parts:
        found = effort(ratios, groups)
        kept = found[found["group"] != "all"] if label != desk.review_level else found
        frames.append(kept.assign(by=label))
    joined = pd.concat(frames, ignore_index=True)
    return joined[["by", *[name for name in joined if name != "by"]]]


def size_dependence(desk: Desk, table: pd.DataFrame) -> pd.DataFrame:
    """Test at every level but the company whether the large have it harder: level, n, correlation, low, high.

    Size is what a node sold in the last twelve months known. It is not the expectation, whose own error would
    make small expectations look hard.
    """
    size = desk.history().iloc[:, -12:].mean(axis=1)
    ratios = table.set_index(NODE)["difficulty"]
    rows = []
    for level in desk.tree.level_names[1:]:
        nodes = desk.tree.at_level(level)
        rows.append(depends_on_size(ratios[nodes], size[nodes]).rename(level))
    columns = [LEVEL, "n", "correlation", "low", "high"]
    if not rows:
        return pd.DataFrame(columns=columns)
    return pd.DataFrame(rows).rename_axis(LEVEL).reset_index()[columns].astype({"n": "int64"})


def difficulty_rows(desk: Desk, table: pd.DataFrame) -> pd.DataFrame:
    """Choose the leaves for a figure of difficulty: node, name, difficulty, group (node of the review level)."""
    rows = table[table[NODE].isin(desk.tree.leaves)]
    area = desk.tree.ancestor(desk.review_level)[desk.tree.leaves].map(desk.tree.name)
    return rows.assign(group=rows[NODE].map(area).fillna("(none)"))[[NODE, NAME, "difficulty", "group"]]


def chance_rows(desk: Desk, table: pd.DataFrame, *, most: int = 24) -> pd.DataFrame:
    """Choose the rows of a figure: nodes above the leaves where there are too many leaves, hardest first by level."""
    leaves = table[NODE].isin(desk.tree.leaves)
    shown = table[~leaves] if len(table) > most and (~leaves).any() else table
    place = shown[LEVEL].map({name: number for number, name in enumerate(desk.tree.level_names)})
    return shown.assign(place=place).sort_values(["place", "chance"], kind="stable").drop(columns="place")


def extremes(table: pd.DataFrame, leaves: pd.Index, *, most: int = 12) -> pd.DataFrame:
    """List the leaves whose targets are beyond reach or too easy, those farthest from half first."""
    mine = table[table[NODE].isin(leaves) & table["class"].isin([BEYOND, EASY])]
    far = (mine["chance"] - 0.5).abs()
    return (
        mine.assign(far=far).sort_values("far", ascending=False, kind="stable").drop(columns="far").head(most)
    )


def all_judged(table: pd.DataFrame) -> bool:
    """Tell whether every node has a chance between 0 and 1, or says why not."""
    known = table["chance"].between(0.0, 1.0)
    return bool((known | (table["chance"].isna() & (table["why"] != ""))).all())


def expectation_adds_up(desk: Desk, outlook: Outlook) -> bool:
    """Tell whether every parent's expectation is the sum of its children's, to a millionth."""
    expected = outlook.expected
    total = desk.tree.roll_up(expected[desk.tree.leaves].to_frame("sum"))["sum"]
    gap = (total - expected).abs()
    both = total.notna() == expected.notna()
    return bool(both.all() and (gap.dropna() <= 1.0 + 1e-6 * expected.abs().max()).all())


def feasibility_headline(desk: Desk, table: pd.DataFrame) -> str:
    """Say in one line how likely the company's target is, by two views, and how many targets lie at the ends."""
    top = table.iloc[0]
    leaves = table[table[NODE].isin(desk.tree.leaves)]
    counts = leaves["class"].value_counts()
    chance = "unknown" if pd.isna(top["chance"]) else f"{top['chance']:.0%}"
    growth = target_chance(desk, int(top["target"])) if pd.notna(top["target"]) else None
    other = "" if growth is None else f" ({growth:.0%} from past growth alone)"
    return (
        f"Chance of the company's target {chance}{other}; of {len(leaves)} {desk.tree.level_names[-1]} targets "
        f"{counts.get(BEYOND, 0)} beyond reach, {counts.get(EASY, 0)} too easy"
    )
