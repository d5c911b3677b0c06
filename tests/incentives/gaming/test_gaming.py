"""Detectors of gaming: they find what was put there, stay silent without, and say when nobody can tell."""

import numpy as np
import pandas as pd
import pytest
from incentives.gaming.made_up import EDGES, INTERVALS, attainments, dated_deals, discounted, panel

from spms_lib.errors import ParamsError, TableError
from spms_lib.incentives.gaming.bunching import bunching, bunching_curve
from spms_lib.incentives.gaming.density import count_law
from spms_lib.incentives.gaming.discounts import discounting
from spms_lib.incentives.gaming.found import COLUMNS, found, judge
from spms_lib.incentives.gaming.intervals import around_ends, with_incentive
from spms_lib.incentives.gaming.shifts import shifts, slips
from spms_lib.incentives.gaming.spikes import late_spikes

NUMBERS = ["observed", "expected_under_null", "size", "low", "high", "p_value", "money"]


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def covered(frame: pd.DataFrame, truth: float) -> pd.Series:
    return (frame["low"] <= truth) & (frame["high"] >= truth)


def behaviour(seed: int, **gaming: float) -> pd.DataFrame:
    rows = panel(rng(seed), **gaming)
    return pd.concat([late_spikes(rows, seed=seed), shifts(rows, seed=seed)])


# -- nothing there: the stated rate of false alarms ------------------------------------------------


def test_without_bunching_few_edges_are_listed() -> None:
    every = [bunching(attainments(rng(seed), 400), EDGES) for seed in range(60)]
    p = pd.concat(every)["p_value"].dropna()
    assert len(p) > 240
    assert (p <= 0.05).mean() <= 0.06
    assert np.mean([judge(one, false_discovery=0.1)["listed"].any() for one in every]) <= 0.1


def test_without_gaming_around_the_end_one_test_in_twenty_is_below_five_percent() -> None:
    every = pd.concat([behaviour(seed) for seed in range(60)])
    p, sure = every["p_value"].dropna(), every.dropna(subset="size")
    assert len(p) == 180
    assert 0.01 <= (p <= 0.05).mean() <= 0.085
    assert covered(sure, 0.0).mean() >= 0.9


def test_without_a_pull_of_the_rate_discounts_are_seldom_tied_to_it() -> None:
    every = pd.concat([discounting(discounted(rng(seed)), seed=seed) for seed in range(60)])
    assert (every["p_value"] <= 0.05).mean() <= 0.1
    assert covered(every, 0.0).mean() >= 0.9


def test_without_holding_back_slips_are_seldom_tied_to_the_cap() -> None:
    every = pd.concat([slips(*_dated(seed, 0.0), seed=seed).iloc[1:] for seed in range(40)])
    assert every["p_value"].notna().all()
    assert (every["p_value"] <= 0.05).mean() <= 0.12


def _dated(seed: int, push: float) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    deals, standings = dated_deals(rng(seed), push=push)
    return deals, INTERVALS, standings


# -- something there: found, and its size recovered --------------------------------------------------


def test_payees_moved_over_an_edge_are_found_there_counted_and_priced() -> None:
    every = [judge(bunching(attainments(rng(seed), 700, moved=25), EDGES)) for seed in range(25)]
    rows = pd.concat(every)
    mine = rows[(rows["detector"] == "bunching") & (rows["where"] == "edge 1")]
    assert mine["listed"].mean() >= 0.9
    assert covered(mine, 25).mean() >= 0.9
    assert mine["size"].mean() == pytest.approx(25, abs=3)
    assert mine["money"].tolist() == pytest.approx((mine["size"].clip(lower=0) * 0.2 * 50_000_00).tolist())
    assert rows.loc[rows["where"] != "edge 1", "listed"].mean() <= 0.1
    assert set(mine["plan_feature"]) == {"pay jumps by 0.2 of target incentive (4.2)"}


@pytest.mark.parametrize(
    ("gaming", "row", "truth"),
    [({"late": 0.08}, 0, 0.08), ({"pull": 0.05}, 1, -0.05), ({"push": 0.06}, 2, 0.06)],
)
def test_sales_moved_over_an_end_are_found_with_their_size(gaming: dict, row: int, truth: float) -> None:
    every = pd.concat([behaviour(seed, **gaming).iloc[[row]] for seed in range(20)])
    assert (every["p_value"] <= 0.05).mean() >= 0.9
    assert covered(every, truth).mean() >= 0.85
    assert every["size"].mean() == pytest.approx(truth, abs=0.012)
    assert (every["money"] > 0).mean() >= 0.9


def test_good_and_bad_spells_alone_are_no_spike() -> None:
    """Near 85 to 100 % a spell is rather good, and it still lasts in the last days: the pace before has to be counted."""
    every = pd.concat([late_spikes(panel(rng(seed), spells=0.5), seed=seed) for seed in range(40)])
    assert abs(every["size"].mean()) < 0.006
    assert (every["p_value"] <= 0.05).mean() <= 0.1


def test_effort_alone_is_a_spike_and_no_pull_forward() -> None:
    every = pd.concat([behaviour(seed, late=0.08) for seed in range(20)])
    pulled = every[every["where"].str.startswith("pulled")]
    assert (pulled["p_value"] <= 0.05).mean() <= 0.15


def test_discounts_that_follow_the_rate_are_found_with_their_size() -> None:
    every = pd.concat([discounting(discounted(rng(seed), size=0.3), seed=seed) for seed in range(30)])
    assert (every["p_value"] <= 0.05).mean() >= 0.9
    assert covered(every, 0.3).mean() >= 0.85
    assert every["size"].mean() == pytest.approx(0.3, abs=0.03)


def test_deals_held_back_by_capped_payees_are_found() -> None:
    every = pd.concat([slips(*_dated(seed, 0.4), seed=seed).iloc[1:] for seed in range(15)])
    assert (every["p_value"] <= 0.05).mean() >= 0.9
    assert covered(every, 0.4).mean() >= 0.85


# -- too few, unknown, misuse ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        bunching(attainments(rng(1), 40), EDGES),
        bunching(attainments(rng(1), 500).round(1), EDGES),  # lumps
        late_spikes(panel(rng(1), payees=6)),
        shifts(panel(rng(1), payees=6)),
        discounting(discounted(rng(1), payees=5)),
        slips(*_dated(1, 0.0)).iloc[:1],  # nobody is near an edge
        late_spikes(panel(rng(1)).iloc[:0]),
        bunching(attainments(rng(1), 0), EDGES),
    ],
)
def test_of_too_few_no_number_is_given_and_no_test_counted(told: pd.DataFrame) -> None:
    assert len(told) >= 1
    assert told[NUMBERS].isna().all(axis=None)
    assert told["note"].str.startswith("too few to tell").all()
    assert not judge(told)["listed"].any()


def test_every_row_states_its_null_model_and_is_told_apart() -> None:
    every = pd.concat(
        [bunching(attainments(rng(3), 400), EDGES), behaviour(3), discounting(discounted(rng(3)))]
    )
    assert list(every.columns) == list(COLUMNS)
    assert every["convention"].str.len().min() > 60
    assert not every.duplicated(["detector", "where"]).any()


def test_payees_without_an_attainment_are_counted_and_change_nothing() -> None:
    known = attainments(rng(5), 400)
    unknown = pd.concat([known, pd.DataFrame({"attainment": [np.nan] * 7})], ignore_index=True)
    first, second = bunching(known, EDGES), bunching(unknown, EDGES)
    pd.testing.assert_frame_equal(first[NUMBERS], second[NUMBERS])
    assert second["note"].str.contains("7 without an attainment").all()


def test_quota_to_the_last_cent_is_above_the_edge_though_computed_a_little_below() -> None:
    on_edge = pd.DataFrame({"attainment": [*attainments(rng(6), 400)["attainment"], *[1.0 - 1e-12] * 30]})
    assert bunching(on_edge, EDGES).loc[2, "observed"] >= 30


def test_the_same_seed_gives_the_same_finding() -> None:
    pd.testing.assert_frame_equal(behaviour(9), behaviour(9))


def test_a_missing_column_and_a_senseless_setting_are_refused_by_name() -> None:
    with pytest.raises(TableError, match="late"):
        late_spikes(panel(rng(1)).drop(columns="late"))
    with pytest.raises(ParamsError, match="window of 0"):
        bunching(attainments(rng(1), 100), EDGES, window=0)
    with pytest.raises(ParamsError, match="cannot be chance"):
        judge(found([]), false_discovery=1.0)


def test_no_edges_no_findings() -> None:
    assert bunching(attainments(rng(1), 100), EDGES.iloc[:0]).empty


def test_benjamini_and_hochberg_list_up_to_the_last_p_below_its_line() -> None:
    """Their table 1: of 15 tests at 5 % the first four are significant."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.324,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1.0,
    ]
    judged = judge(
        found([{"where": str(n), "p_value": one} for n, one in enumerate(p)]), false_discovery=0.05
    )
    assert judged["listed"].sum() == 4


def test_the_curve_holds_every_payee_in_its_range_once() -> None:
    payees = attainments(rng(8), 500, moved=20)
    curve = bunching_curve(payees, EDGES)
    inside = payees["attainment"].between(curve["start"].min(), curve["stop"].max(), inclusive="left")
    assert curve["observed"].sum() == inside.sum()
    away = curve[~curve["at_edge"]]
    assert away["expected"].sum() == pytest.approx(
        away["observed"].sum(), rel=1e-6
    )  # Poisson with a constant
    assert ((away["low"] <= away["observed"]) & (away["observed"] <= away["high"])).mean() > 0.9


def test_sales_fall_before_in_and_after_the_last_days_and_none_twice() -> None:
    days = pd.date_range("2026-01-01", "2026-12-31")
    sales = pd.DataFrame({"payee": "ada", "date": days, "amount": 1})
    stood = pd.DataFrame(
        {"payee": "ada", "interval": INTERVALS["interval"], "attainment": 0.9, "edge": 1.0, "capped": False}
    )
    told = around_ends(sales, INTERVALS, stood)
    assert (told["before"] + told["late"]).tolist() == [90, 91, 92, 92]
    assert told["late"].tolist() == [9, 10, 10, 10]
    assert told["after"].tolist()[:3] == [10, 10, 10]
    assert told["after"].isna().tolist() == [False, False, False, True]


def test_across_a_gap_between_intervals_nothing_comes_after() -> None:
    days = pd.date_range("2026-01-01", "2026-12-31")
    sales = pd.DataFrame({"payee": "ada", "date": days, "amount": 1})
    apart = INTERVALS.iloc[[0, 2, 3]]
    stood = pd.DataFrame(
        {"payee": "ada", "interval": apart["interval"], "attainment": 0.9, "edge": 1.0, "capped": False}
    )
    assert around_ends(sales, apart, stood)["after"].fillna(-1).tolist() == [-1, 10, -1]


def test_near_is_below_the_edge_and_idle_is_capped_or_far_and_unknown_is_neither() -> None:
    stood = pd.DataFrame(
        [(0.9, 1.0, False), (1.0, 1.0, False), (0.8, 1.0, False), (0.5, 1.0, False), (0.9, 1.0, True),
         (1.3, np.nan, False), (np.nan, 1.0, False)],
        columns=["attainment", "edge", "capped"],
    ).assign(payee="ada", interval=range(7))  # fmt: skip
    told = with_incentive(stood)
    assert told["near"].tolist() == [1, 0, 0, 0, 0, 0]
    assert told["idle"].tolist() == [0, 0, 0, 1, 1, 0]


def test_a_deal_crosses_the_end_in_either_direction_and_an_open_one_by_its_present_day() -> None:
    """Each of 14 payees is near in one of two quarters and safe in the other; when near, deals of all but one cross."""
    rows = []
    for payee in range(14):
        for interval, end in [("2026Q1", "2026-03-31"), ("2026Q2", "2026-06-30")]:
            near = (interval == "2026Q1") == (payee % 2 == 0)
            for late in (False, True):
                said = pd.Timestamp(end) + pd.Timedelta(days=7 if late else -7)
                went = said + pd.Timedelta(days=(-14 if late else 14) * (near != (payee == 0)))
                rows.append((payee, interval, said, went, pd.NaT if payee % 3 else went, near))
    deals = pd.DataFrame(
        rows, columns=["payee", "interval", "close_first", "close_last", "closed_on", "near"]
    )
    standings = deals[["payee", "interval", "near"]].drop_duplicates()
    standings = standings.assign(attainment=np.where(standings["near"], 0.9, 1.2), capped=False)
    standings = standings.assign(edge=np.where(standings["near"], 1.0, np.nan))
    deals = deals.assign(opportunity=range(len(deals)), amount=100).drop(columns=["interval", "near"])
    pulled = slips(deals, INTERVALS, standings).iloc[0]
    assert pulled["size"] == pytest.approx((13 - 1) / 14)
    assert pulled["observed"] == pytest.approx(13 / 14)
    assert pulled["money"] == pytest.approx(100 * 14 * 12 / 14)


@pytest.mark.parametrize(("mean", "variance"), [(8.0, 8.0), (8.0, 11.0)])
def test_a_count_about_an_uncertain_mean_has_that_mean_and_variance(mean: float, variance: float) -> None:
    assert count_law(mean, variance).stats() == pytest.approx((mean, variance))
