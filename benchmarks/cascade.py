"""Cascades of twelve periods, by one weight and by three drivers, against b2b-revenue-forecasting."""

import contextlib
import io
import warnings

import numpy as np
import pandas as pd
from b2b_revenue_forecasting import QuotaCascader, SalesHierarchy

from benchmarks.company import PERIODS, company, parent_child
from benchmarks.measure import Row, measure
from spms_lib.goals.cascade import cascade
from spms_lib.goals.drivers import blend_drivers
from spms_lib.goals.waterfall import cascade_by_level
from spms_lib.hierarchy import Hierarchy

TARGET_CENTS = 123_456_789_01
AIM = 500  # times faster than the peer, for twelve periods
MEASURES = 2
BLEND = {"weight": 0.5, "potential": 0.3, "heads": 0.2}


def rows(sellers: int = 100_000) -> list[Row]:
    wide = company(sellers)
    frame = parent_child(wide)
    case = f"{sellers:,} sellers x {len(PERIODS)} periods"
    build = measure(lambda: Hierarchy.from_parent_child(frame), 5)
    tree = Hierarchy.from_parent_child(frame)
    weights = wide.set_index("seller")["weight"]
    totals = pd.Series(TARGET_CENTS, index=PERIODS)
    ours = measure(lambda: cascade(tree, totals, weights), 5)

    peer = SalesHierarchy()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # what the peer prints and advises does not concern a speed test
        peer_build = measure(lambda: peer.from_dataframe(wide, LEVELS, metrics_cols=["weight"]), 1)
        cascader = QuotaCascader(peer)
        quotas: dict[str, float] = {}
        one_period = measure(lambda: quotas.update(proportional(cascader)), 2)
    gap = largest_gap(cascade(tree, totals, weights)[PERIODS[0]], quotas)
    peer_all = one_period * len(PERIODS)
    return [
        Row(case, "peer: build", peer_build, 1),
        Row(case, "ours: build", build, 5, build / peer_build, "peer's build"),
        Row(
            case,
            "peer: cascade, all periods",
            peer_all,
            2,
            note=f"{len(PERIODS)} x a measured period, which is floats",
        ),
        Row(
            case,
            "ours: cascade, all periods",
            ours,
            5,
            ours / peer_all,
            "peer's cascade",
            "whole cents, sums exact",
        ),
        Row(
            case,
            "peer over ours, cascade",
            ours,
            5,
            peer_all / ours,
            "ours",
            f"aim {AIM} x; numbers differ by at most {gap:.2f} cents",
        ),
        *blended(sellers),
    ]


def blended(sellers: int) -> list[Row]:
    """Three drivers, blended, over twelve months and two measures; ours includes the blend and every rounding."""
    wide = with_drivers(company(sellers))
    tree = Hierarchy.from_parent_child(parent_child(wide))
    drivers, totals = wide.set_index("seller")[list(BLEND)], pd.Series(TARGET_CENTS, index=PERIODS)

    def ours() -> list[pd.DataFrame]:
        return [cascade(tree, totals, blend_drivers(tree, drivers, BLEND)[0]) for _ in range(MEASURES)]

    def by_level() -> list[pd.DataFrame]:
        weights = [blend_drivers(tree, drivers, BLEND)[0] for _ in range(MEASURES)]
        return [cascade_by_level(tree, totals, one)[0] for one in weights]

    case = f"{sellers:,} sellers x {len(PERIODS)} periods x {MEASURES} measures, 3 drivers"
    one_step, steps = measure(ours, 5), measure(by_level, 5)
    peer = SalesHierarchy()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        peer.from_dataframe(wide, LEVELS, metrics_cols=list(BLEND))
        cascader = QuotaCascader(peer)
        one = measure(
            lambda: cascader.cascade_proportional("company", float(TARGET_CENTS), metrics=dict(BLEND)), 1
        )
    theirs, count = one * len(PERIODS) * MEASURES, len(PERIODS) * MEASURES
    note = "it normalises drivers among siblings, so its numbers are another split"
    return [
        Row(case, "peer: blended cascade", theirs, 1, note=f"{count} x one measured period; {note}"),
        Row(
            case,
            "ours: blended, one step",
            one_step,
            5,
            theirs / one_step,
            "ours",
            "times faster; drivers normalised over the company",
        ),
        Row(
            case,
            "ours: blended, by level",
            steps,
            5,
            theirs / steps,
            "ours",
            "times faster; each level rounded and fixed",
        ),
    ]


LEVELS = ["company", "region", "team", "seller"]


def with_drivers(wide: pd.DataFrame) -> pd.DataFrame:
    """Add a market potential and heads."""
    rng = np.random.default_rng(1)
    return wide.assign(
        potential=rng.lognormal(6.0, 0.8, len(wide)), heads=rng.integers(1, 5, len(wide)).astype(float)
    )


def proportional(cascader: QuotaCascader) -> dict[str, float]:
    quotas: dict[str, float] = cascader.cascade_proportional("company", float(TARGET_CENTS), metric="weight")
    return quotas


def largest_gap(ours: pd.Series, quotas: dict[str, float]) -> float:
    """Largest difference at any node, in cents: both answer the same question."""
    return float((ours - pd.Series(quotas).reindex(ours.index)).abs().max())
