"""A proportional cascade of twelve periods against b2b-revenue-forecasting, which speaks the same trade."""

import contextlib
import io
import warnings

import pandas as pd
from b2b_revenue_forecasting import QuotaCascader, SalesHierarchy

from benchmarks.company import PERIODS, company, parent_child
from benchmarks.measure import Row, measure
from spms_lib.goals.cascade import cascade
from spms_lib.hierarchy import Hierarchy

TARGET_CENTS = 123_456_789_01
AIM = 500  # times faster than the peer, for twelve periods


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
        peer_build = measure(lambda: peer.from_dataframe(wide, levels(wide), metrics_cols=["weight"]), 1)
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
    ]


def levels(wide: pd.DataFrame) -> list[str]:
    return [column for column in wide.columns if column != "weight"]


def proportional(cascader: QuotaCascader) -> dict[str, float]:
    quotas: dict[str, float] = cascader.cascade_proportional("company", float(TARGET_CENTS), metric="weight")
    return quotas


def largest_gap(ours: pd.Series, quotas: dict[str, float]) -> float:
    """Largest difference at any node, in cents: both answer the same question."""
    return float((ours - pd.Series(quotas).reindex(ours.index)).abs().max())
