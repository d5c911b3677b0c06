"""Does the recommended approach agree with the truth? Sample companies of many seeds, whose truth is known.

For each seed a company is written to files, read back, walked through its past, and an approach is recommended for every
level from the evidence alone (nobody answers the questions). Two truths are set against it:

- next quarter: the planned quarter lived many times over, from the same past on;
- lived again: the eight past quarters lived again from their start, with the same seats, habits and leadership.

In both, market, luck and the field's moods are drawn anew, and what a seat should sell stays. An approach's true error is
its WAPE over all those lives; regret is what a choice misses by more than the best choice would, in WAPE points.

Fifty companies take some six minutes of one core. Two seats are empty in the planned quarter whatever the size, so in a
very small company the next quarter is unlike its past.

    python -m benchmarks.approach --seeds 50
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Row
from spms_lib.cycle import open_cycle
from spms_lib.cycle.approach import measure
from spms_lib.cycle.backtest import forecast_quarter, records_before, walk_forward
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.past import Past, handed_down, past_of
from spms_lib.cycle.questions import criteria_table
from spms_lib.goals.approach import APPROACHES, CANNOT_TELL, SEGMENT, recommend
from spms_lib.hierarchy import Hierarchy
from spms_lib.sample import build_sample
from spms_lib.sample.build import make_world
from spms_lib.sample.field import LATE_RATIO, MISSING_NOW_RATIO, MISSING_RATIO, Field, belief
from spms_lib.sample.past_targets import targets
from spms_lib.sample.sales import relive
from spms_lib.sample.timeline import CURRENT, month_texts, position
from spms_lib.tables import LEVEL, NODE, PERIOD, SOURCE, VALUE, to_long, to_wide

ROOT = Path(__file__).parents[1]
TARGETS_STREAM = 7  # of `build_sample`: leadership's ambition
NAMES = list(APPROACHES)
TRUTHS = {"next": "next quarter", "again": "lived again"}


def study(
    seeds: int, *, first: int = 0, sellers: int = 40, next_lives: int = 8, again_lives: int = 2
) -> pd.DataFrame:
    """Recommend and compare, for every seed and level.

    Returns
    -------
    pd.DataFrame
        Columns seed, level, recommendation, leaning, chance_best, lead, and by approach past_*, next_* and again_*: WAPE
        in the evidence and in the two truths.
    """
    parts = []
    for seed in range(first, first + seeds):
        with sample_desk(seed, sellers) as desk:
            past = past_of(desk)
            walk = walk_forward(past, methods=())
            evidence = measure(desk, past, walk)
            whole = evidence.scores[evidence.scores[SEGMENT] == "all"]
            found = recommend(whole, criteria_table(desk).head(0)).set_index(LEVEL)
            world = make_world(seed=seed, sellers=sellers)
            known = evidence.levels.pivot_table(index=LEVEL, columns=SOURCE, values="wape")[NAMES]
            after = next_quarter(desk, past, walk.forecasts, world, seed, next_lives)
            again = lived_again(desk, past, world, seed, again_lives)
            joined = found[["recommendation", "leaning", "contenders", "chance_best", "lead"]].join(
                [known.add_prefix("past_"), after.add_prefix("next_"), again.add_prefix("again_")]
            )
            parts.append(joined.reset_index().assign(seed=seed))
    return pd.concat(parts, ignore_index=True)


@contextmanager
def sample_desk(seed: int, sellers: int) -> Iterator[Desk]:
    """Write a sample company into a folder of its own, and open its cycle."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for name in ("sample", "plans"):
            shutil.copytree(ROOT / "params" / name, root / "params" / name)
        (root / "notebooks").mkdir()
        build_sample(root / "outputs/sample/data", seed=seed, sellers=sellers)
        before = os.environ.get("SPMS_ROOT")
        os.environ["SPMS_ROOT"] = str(root)
        try:
            yield open_cycle("sample", "2026Q3")
        finally:
            if before is None:
                del os.environ["SPMS_ROOT"]
            else:
                os.environ["SPMS_ROOT"] = before


def next_quarter(
    desk: Desk, past: Past, forecasts: pd.DataFrame, world: Field, seed: int, lives: int
) -> pd.DataFrame:
    """Live the planned quarter many times: levels x approaches, WAPE."""
    rng = np.random.default_rng([seed, 100])
    first, months = position(CURRENT), desk.months
    given = stated(past.tree, world, seed, months[-1])[months]
    coming = replace(past, targets=past.targets.join(given))
    records = records_before(past, [forecasts], months[0])
    misses = []
    for _ in range(lives):
        lived = replace(world, sales=relive(rng, world.company, world.sales, since=first))
        heard = replace(coming, said=past.said.join(said(rng, lived, [first])))
        came = sold(lived, first + 3)[months]
        misses.append(errors(desk, forecast_quarter(heard, desk.cycle, records), past.tree.roll_up(came)))
    return wape(misses)


def lived_again(desk: Desk, past: Past, world: Field, seed: int, lives: int) -> pd.DataFrame:
    """Live the past again from its start: levels x approaches, WAPE."""
    rng = np.random.default_rng([seed, 101])
    quarters = [position(past.calendar.months(quarter)[0]) for quarter in past.quarters]
    misses = []
    for _ in range(lives):
        lived = replace(world, sales=relive(rng, world.company, world.sales, since=0))
        by_seat = sold(lived, position(CURRENT)).reindex(past.tree.leaves)
        given = stated(past.tree, lived, seed, past.targets.columns[-1])
        again = replace(
            past,
            sold=by_seat,
            targets=given[past.targets.columns],
            said=said(rng, lived, quarters).reindex(past.tree.leaves),
        )
        misses.append(errors(desk, walk_forward(again, methods=()).forecasts, past.tree.roll_up(by_seat)))
    return wape(misses)


def stated(tree: Hierarchy, world: Field, seed: int, last: str) -> pd.DataFrame:
    """Targets in cents, nodes x months: the company's as stated, what is below it as the seats add up at present."""
    rows = targets(np.random.default_rng([seed, TARGETS_STREAM]), world.company, world.sales, last=last)
    given = to_wide(rows.assign(**{VALUE: rows[VALUE].astype(float) * 100}))
    total = tree.roll_up(given[given.index.isin(tree.leaves)])
    total.loc[tree.root] = given.loc[tree.root]
    return handed_down(tree, total)


def sold(world: Field, until: int) -> pd.DataFrame:
    """Sales in cents, seats x months before `until`; missing before a seat opened."""
    total = world.sales.total[:, :until].astype(float)
    there = np.arange(until) >= world.company.opened[:, None]
    return pd.DataFrame(np.where(there, total, np.nan), world.company.seats, month_texts()[:until])


def said(rng: np.random.Generator, world: Field, quarters: list[int]) -> pd.DataFrame:
    """What the field said in time, seats x months in cents; missing where nobody sat, sent, or sent in time."""
    parts, seats = [], len(world.company.seats)
    for first in quarters:
        silent = LATE_RATIO + (MISSING_NOW_RATIO if first == position(CURRENT) else MISSING_RATIO)
        spoke = (world.staff.occupant[:, first] >= 0) & (rng.random(seats) >= silent)
        values = np.where(spoke[:, None], belief(rng, world, first), np.nan)
        parts.append(pd.DataFrame(values, world.company.seats, month_texts()[first : first + 3]))
    return pd.concat(parts, axis=1)


def errors(desk: Desk, forecasts: pd.DataFrame, came: pd.DataFrame) -> pd.DataFrame:
    """Add up |error| by level and approach, and |actual| by level, on cells that all approaches have."""
    rows = forecasts[forecasts[SOURCE].isin(NAMES)]
    grid = rows.pivot_table(index=[NODE, PERIOD], columns=SOURCE, values=VALUE)[NAMES].dropna()
    actual = to_long(came).set_index([NODE, PERIOD])[VALUE]
    miss = grid.sub(actual, axis=0).abs().assign(size=actual.abs()).dropna()
    return miss.groupby(desk.tree.level.reindex(miss.index.get_level_values(NODE)).to_numpy()).sum()


def wape(misses: list[pd.DataFrame]) -> pd.DataFrame:
    """Pool the lives: sum of misses over sum of actuals."""
    total = sum(misses[1:], misses[0])
    return total[NAMES].div(total["size"], axis=0)


# -- what came of it ------------------------------------------------------------------------------


def summary(found: pd.DataFrame, truth: str) -> pd.DataFrame:
    """Compare with one truth, by level and over all.

    Returns
    -------
    pd.DataFrame
        Indexed by level: cases, clear (share where the evidence decided), right_clear (share of those that are the true
        best), leaning_right (share of all where the leaning is), near (share where the leaning is within half a point of
        the best), and mean regret in WAPE points of the rule (the leaning where it cannot tell), of the careful rule
        (blend where it cannot tell and blend is a contender), and of always taking each approach.
    """
    by_level = [_compare(part, truth).rename(level) for level, part in found.groupby(LEVEL, sort=False)]
    return pd.DataFrame([*by_level, _compare(found, truth).rename("all levels")])


def _compare(found: pd.DataFrame, truth: str) -> pd.Series:
    true = found[[f"{truth}_{name}" for name in NAMES]].to_numpy()
    printed = [APPROACHES[name] for name in NAMES]
    best = true.argmin(axis=1)
    regret = true - true.min(axis=1, keepdims=True)
    rows = np.arange(len(found))
    leaning = found["leaning"].map(printed.index).to_numpy()
    clear = (found["recommendation"] != CANNOT_TELL).to_numpy()
    blend = printed.index(APPROACHES["blend"])
    open_to_blend = ~clear & found["contenders"].str.contains(APPROACHES["blend"]).to_numpy()
    careful = np.where(open_to_blend, blend, leaning)
    right = leaning == best
    near = regret[rows, leaning] < 0.005
    numbers = {
        "cases": len(found),
        "clear": clear.mean(),
        "right_clear": right[clear].mean() if clear.any() else np.nan,
        "near_clear": near[clear].mean() if clear.any() else np.nan,
        "leaning_right": right.mean(),
        "near": near.mean(),
        "regret_rule": 100 * regret[rows, leaning].mean(),
        "regret_careful": 100 * regret[rows, careful].mean(),
        **{f"regret_{name}": 100 * regret[:, number].mean() for number, name in enumerate(NAMES)},
        **{f"best_{name}": (best == number).mean() for number, name in enumerate(NAMES)},
    }
    return pd.Series(numbers)


def rows(seeds: int = 50) -> list[Row]:
    """Run the study as a measurement: seconds a seed, and what came of it in the note."""
    start = time.perf_counter()
    found = study(seeds)
    seconds = (time.perf_counter() - start) / seeds
    lines = []
    for truth, name in TRUTHS.items():
        for level, one in summary(found, truth).iterrows():
            note = (
                f"clear {one['clear']:.0%}, then right {one['right_clear']:.0%}; leaning right {one['leaning_right']:.0%}; "
                f"regret {one['regret_rule']:.2f} points (top-down {one['regret_top_down']:.2f}, bottom-up "
                f"{one['regret_bottom_up']:.2f}, blend {one['regret_blend']:.2f})"
            )
            lines.append(Row(f"{seeds} companies, {name}", str(level), seconds, 1, note=note))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.approach", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--sellers", type=int, default=40)
    parser.add_argument("--next-lives", type=int, default=8, help="lives of the planned quarter")
    parser.add_argument("--again-lives", type=int, default=2, help="lives of the past quarters")
    parser.add_argument("--keep", type=Path, help="CSV file for the single cases")
    asked = parser.parse_args()
    start = time.perf_counter()
    found = study(
        asked.seeds,
        first=asked.first,
        sellers=asked.sellers,
        next_lives=asked.next_lives,
        again_lives=asked.again_lives,
    )
    console = Console(width=200)
    for truth, name in TRUTHS.items():
        table = summary(found, truth)
        shown = Table("level", *table.columns, title=f"{name}: regret in WAPE points", title_justify="left")
        for level, one in table.iterrows():
            shown.add_row(str(level), *(f"{value:.2f}" for value in one))
        console.print(shown)
    console.print(f"{asked.seeds} seeds, {asked.sellers} sellers, {time.perf_counter() - start:.0f} s")
    if asked.keep:
        found.to_csv(asked.keep, index=False)


if __name__ == "__main__":
    main()
