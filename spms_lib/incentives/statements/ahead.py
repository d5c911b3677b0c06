"""What comes next: the rate that holds now, the next tier, and how much further it is, for everybody at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.incentives.engine.books import COMPONENT, PAYEE
from spms_lib.incentives.engine.component import (
    REASONS,
    Setting,
    Stand,
    Standing,
    by_line,
    due_at,
    limit_of,
    place,
)
from spms_lib.incentives.engine.curve import Bands
from spms_lib.incentives.engine.exact import Ints
from spms_lib.incentives.engine.run import Run
from spms_lib.incentives.plan.model import (
    ATTAINMENT,
    MEASURE,
    MONEY,
    MONEY_VALUES,
    RATE,
    TRANSACTION,
    UPPER,
    Component,
    Curve,
)
from spms_lib.tables import PERIOD

ALONE: Final = "each credit is paid alone"
CAP: Final = "cap"
HELD_BY: Final = "held_by"
ANSWERS: Final = (
    "marginal_rate",
    "money_rate",
    "next_start",
    "rate_from_there",
    "further",
    "pays_there",
    HELD_BY,
)

Objects = NDArray[np.object_]
Found = dict[str, Objects]


def next_step(run: Run, *, period: str | None = None) -> pd.DataFrame:
    """Say for every payee and component what one more sale earns, and what it takes to reach the next tier.

    Parameters
    ----------
    period
        Month at whose end everybody is looked at; the run's last if None.

    Returns
    -------
    pd.DataFrame
        payee, component, period; attainment (float, NaN without a quota); marginal_rate (the
        band's rate as the plan states it, a fraction, 0 where nothing more is paid);
        money_rate (pay per unit of money sold, multipliers included, float; NaN where the
        measure is not money); next_start (fraction in the curve's unit), rate_from_there,
        further (Int64 raw units: the smallest sale that reaches it, by the plan's tie),
        pays_there (Int64 minor units due then); held_by (empty, or what keeps pay from growing:
        `cap`, `gate 1`, a reason). What does not exist is None or null: no tier lies
        ahead, the cap is reached, a ratio cannot be reached by an amount.

    Notes
    -----
    A threshold is a tier like others: below it, the next step is to reach it. Pay that follows
    single credits is stated without kickers, and `pays_there` is then unknown.
    """
    column = len(run.books.periods) - 1 if period is None else run.books.periods.index(period)
    stands = run.stands()
    found = [_of_component(run, name, stands[name], column) for name in run.plan.components]
    return pd.concat(found, ignore_index=True)


def _of_component(run: Run, name: str, stand: Stand, column: int) -> pd.DataFrame:
    part, setting, count = run.plan.components[name], run.settings[name], len(run.books.payees)
    at = stand.at._replace(
        measure=stand.at.measure[:, column],
        against=stand.at.against[:, column],
        weight=stand.at.weight[:, column],
    )
    limit = None if part.cap is None else limit_of(part.cap, stand.at.incentive[:, column], setting)
    here = _Here(run, part, setting, at, stand.factors[:, column], stand.over, limit)
    found = {each: np.full(count, None, dtype=object) for each in ANSWERS}
    found[HELD_BY] = np.array(REASONS, dtype=object)[stand.at.reason[:, column]]
    free = stand.at.reason[:, column] == 0
    if part.accumulate == TRANSACTION:
        found[HELD_BY][free], free = ALONE, free & False
    if limit is not None:
        at_cap = free & (stand.before_cap[:, column] >= limit)
        found[HELD_BY][at_cap], free = CAP, free & ~at_cap
        found["marginal_rate"][at_cap], found["money_rate"][at_cap] = Fraction(0), 0.0
    for number, who, curve in _deciding(part, stand, column):
        rows = np.flatnonzero(who & free)
        if number and curve is None:
            found[HELD_BY][rows] = f"gate {number}"
            found["marginal_rate"][rows], found["money_rate"][rows] = Fraction(0), 0.0
        elif curve is None:
            bands, places = place(setting, run.figures, stand.at, part.interval)
            _now(found, rows, here, bands, places[rows, column], None)
        else:
            bands = setting.bands(curve)
            places = bands.position(at.measure[rows], at.against[rows])
            _now(found, rows, here, bands, places, curve)
            _then(found, rows, here, bands, places, curve)
    in_money = run.plan.measures[part.base or part.measure]
    of_money = in_money.value in MONEY_VALUES and not in_money.per
    return pd.DataFrame(
        {
            PAYEE: run.books.payees,
            COMPONENT: name,
            PERIOD: run.books.periods[column],
            "attainment": _attainment(run, name, stand, column),
            **found,
            "money_rate": found["money_rate"].astype(float) if of_money else np.nan,
        }
    ).astype(dict.fromkeys(("further", "pays_there"), "Int64"))


@dataclass(frozen=True)
class _Here:
    """One component in one month: where everybody stands, and the factors and limit that hold."""

    run: Run
    part: Component
    setting: Setting
    at: Standing
    factors: Ints
    over: int
    limit: Ints | None


def _deciding(
    part: Component, stand: Stand, column: int
) -> Iterator[tuple[int, NDArray[np.bool_], Curve | None]]:
    """Yield each curve that may decide, those of closed gates and then the own one (0), and for whom it does."""
    undecided = np.ones(len(stand.due), dtype=bool)
    for number, (gate, passed) in enumerate(zip(part.gates, stand.open, strict=True), start=1):
        yield number, undecided & ~passed[:, column], gate.closed
        undecided = undecided & passed[:, column]
    yield 0, undecided, part.curve


def _now(
    found: Found, rows: NDArray[np.intp], here: _Here, bands: Bands, places: Ints, curve: Curve | None
) -> None:
    """Fill in the rate that holds, as the plan states it and as money for one more unit of what is paid on."""
    if bands.every is not None:
        found["marginal_rate"][rows], found["money_rate"][rows] = Fraction(0), 0.0
        return
    rates, growth = _rates(here, bands, curve)
    found["marginal_rate"][rows] = rates[places]
    each = here.at.weight[rows] / here.at.against[rows] if curve and not here.part.base else 1.0
    found["money_rate"][rows] = growth.astype(float)[places] * each * here.factors[rows] / here.over


def _rates(here: _Here, bands: Bands, curve: Curve | None) -> tuple[Objects, Objects]:
    """List each band's rate as the plan states it, and what pay grows by: per raw unit of performance, or of the base."""
    part, setting = here.part, here.setting
    pays, unit = (curve.pays, curve.unit) if curve else (part.matrix.pays if part.matrix else RATE, MEASURE)
    money = setting.per_unit if pays == MONEY else 1
    if curve is None or (part.base and not by_line(part)):
        values = [band.value for band in bands.bands]
        grows = [value if pays == RATE else Fraction(0) for value in values]
        return _objects([value / money for value in values]), _objects(grows)
    scale = 1 if pays == RATE or unit == ATTAINMENT else setting.scales[part.measure]
    slopes = [band.slope for band in bands.bands]
    return _objects([slope * scale / money for slope in slopes]), _objects(slopes)


def _then(
    found: Found, rows: NDArray[np.intp], here: _Here, bands: Bands, places: Ints, curve: Curve
) -> None:
    """Fill in the next start, its rate, the smallest whole amount that reaches it, and what is due there."""
    every = bands.every
    ahead = np.ones(len(rows), dtype=bool) if every is not None else places + 1 < len(bands.bands)
    rows, following = rows[ahead], places[ahead] + 1
    unit = 1 if curve.unit == ATTAINMENT else here.setting.scales[here.part.measure]
    if every is None:
        grain, starts = bands.grain, [band.start or Fraction(0) for band in bands.bands]
        start = _objects([int(edge * grain) for edge in starts])[following]
        found["next_start"][rows] = _objects([edge / unit for edge in starts])[following]
        found["rate_from_there"][rows] = _rates(here, bands, curve)[0][following]
    else:
        grain, start = every.denominator, every.numerator * following.astype(object)
        found["next_start"][rows] = every / unit * following.astype(object)
    if here.run.figures.own[here.part.name].per is not None or not len(rows):
        return
    measure, against = here.at.measure[rows], here.at.against[rows]
    edge = start * against.astype(object)
    upper = bands.tie == UPPER or every is not None
    reached = (-(-edge // grain) if upper else edge // grain + 1).astype(np.int64)
    found["further"][rows] = reached - measure
    if not by_line(here.part):
        there = here.at._replace(measure=reached, against=against, weight=here.at.weight[rows])
        due = due_at(bands, there, following, here.setting, here.factors[rows], here.over)
        found["pays_there"][rows] = due if here.limit is None else np.minimum(due, here.limit[rows])


def _attainment(run: Run, name: str, stand: Stand, column: int) -> NDArray[np.float64]:
    ratio = run.figures.own[name].per is not None
    of = (stand.at.against if ratio else stand.at.quota)[:, column]
    judged: NDArray[np.float64] = stand.at.measure[:, column] / np.where(of > 0, of, np.nan)
    return judged


def _objects(values: Sequence[object]) -> Objects:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
