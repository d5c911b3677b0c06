"""How good and how sure: CRPS against two independent ways, intervals against simulated truth, laws of the scores."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from spms_lib.errors import TableError
from spms_lib.review.scores import normal_crps, ratio_interval, score, tally

LEVEL = ["level"]


def quarter_of(month: str) -> str:
    return f"{month[:4]}Q{(int(month[5:]) + 2) // 3}"


MONTHS = [str(month) for month in pd.period_range("2025-01", "2026-12", freq="M")]


def rows(**errors: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts of one node with these errors on sales of 100 a month, spread 10; and the actuals."""
    months = MONTHS[: len(next(iter(errors.values())))]
    made = [
        pd.DataFrame({"node": "a", "period": months, "source": name, "value": 100.0 + error, "sd": 10.0})
        for name, error in errors.items()
    ]
    return pd.concat(made, ignore_index=True).assign(level="x"), pd.DataFrame(
        {"node": "a", "period": months, "value": 100.0}
    )


def scored(*, interval: str = "t", judged: tuple[str, ...] = (), **errors: np.ndarray) -> pd.DataFrame:
    forecasts, actuals = rows(**errors)
    sums = tally(forecasts, actuals, quarter_of, by=LEVEL, sources=list(errors))
    judged = judged or tuple(errors)
    return score(sums, by=LEVEL, judged=judged, naive=list(errors)[-1], interval=interval).set_index("source")


# -- CRPS ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sd", "actual"), [(100, 10, 100), (100, 10, 137), (-5, 0.3, -4.9), (0, 4, -9)]
)
def test_crps_is_the_integral_of_the_squared_distance_of_the_two_distributions(value, sd, actual) -> None:
    """Definition: integral of (F(x) - 1{x >= actual})^2, by quadrature on both sides of the actual."""
    below = integrate.quad(lambda x: stats.norm.cdf(x, value, sd) ** 2, value - 40 * sd, actual, limit=400)[0]
    above = integrate.quad(lambda x: stats.norm.sf(x, value, sd) ** 2, actual, value + 40 * sd, limit=400)[0]
    assert float(normal_crps(value, sd, actual)) == pytest.approx(below + above, rel=1e-6)


def test_crps_is_the_energy_form_on_a_large_sample() -> None:
    """E|X - y| - E|X - X'| / 2, Gneiting and Raftery (2007), equation 21."""
    drawn = np.random.default_rng(5).normal(50, 8, size=400_000)
    energy = np.abs(drawn - 61).mean() - np.abs(drawn[::2] - drawn[1::2]).mean() / 2
    assert float(normal_crps(50, 8, 61)) == pytest.approx(energy, rel=0.01)


def test_crps_without_a_spread_is_the_absolute_error_and_missing_where_the_spread_is() -> None:
    got = normal_crps([10.0, 10.0], [0.0, np.nan], [7.0, 7.0])
    assert got[0] == 3.0
    assert np.isnan(got[1])


def test_an_honest_spread_beats_one_that_is_too_narrow_or_too_wide() -> None:
    actual = np.random.default_rng(1).normal(100, 10, size=20_000)
    scores = [normal_crps(100.0, sd, actual).mean() for sd in (2.0, 5.0, 10.0, 20.0, 40.0)]
    assert np.argmin(scores) == 2


# -- scores -------------------------------------------------------------------------------------------


def test_scores_of_a_worked_example() -> None:
    """Two quarters: one source 10 too high in every month, the other 20 too low in the first quarter only."""
    low = np.array([-20.0] * 3 + [0.0] * 3)
    got = scored(high=np.full(6, 10.0), low=low, naive=np.full(6, 30.0), judged=("high", "low"))
    assert got.loc["high", ["n", "quarters", "left_out"]].tolist() == [6, 2, 0]
    assert got.loc["high", "wape"] == pytest.approx(0.10)
    assert got.loc["low", "wape"] == pytest.approx(0.10)
    assert got.loc["high", ["bias", "bias_ratio"]].tolist() == pytest.approx([60, 0.1])
    assert got.loc["low", "bias_ratio"] == pytest.approx(-0.1)
    assert got.loc["low", "value_added"] == pytest.approx(0.2)
    assert got.loc["high", "won"] == 1
    assert got.loc["high", "crps"] == pytest.approx(float(normal_crps(110, 10, 100)) / 100)
    assert got.loc["low", "inside"] == pytest.approx(0.5)  # 20 is beyond 1.645 spreads of 10
    assert got.loc["naive", ["chance_best", "won"]].isna().all()  # a yardstick


def test_all_sources_are_measured_on_the_cells_that_all_have() -> None:
    forecasts, actuals = rows(a=np.full(6, 5.0), b=np.full(6, 50.0))
    gone = forecasts[~((forecasts["source"] == "b") & (forecasts["period"] == "2025-01"))]
    got = score(
        tally(gone, actuals, quarter_of, by=LEVEL, sources=["a", "b"]), by=LEVEL, judged=["a", "b"], naive="b"
    )
    assert got["n"].tolist() == [5, 5]
    assert got["left_out"].tolist() == [1, 1]


def test_the_quarter_on_which_the_order_rests_is_named() -> None:
    slip = np.array([1.0] * 9 + [500.0] * 3)
    got = scored(good=slip, fair=np.full(12, 20.0))
    assert got.loc["fair", ["behind", "turns_on", "turns_to"]].tolist() == [0.0, "2025Q4", "good"]
    assert got.loc["good", "won"] == 3
    steady = scored(good=np.full(12, 1.0), fair=np.full(12, 20.0))
    assert (steady["turns_on"] == "").all()


def test_one_quarter_has_no_interval_and_no_chance() -> None:
    got = scored(a=np.full(3, 1.0), b=np.full(3, 2.0))
    assert got[["wape_low", "behind_low", "chance_best"]].isna().all(axis=None)
    assert got["behind"].tolist() == pytest.approx([0.0, 0.01])


def test_a_source_without_spread_has_no_crps_and_keeps_its_wape() -> None:
    forecasts, actuals = rows(a=np.full(6, 5.0), b=np.full(6, 5.0))
    forecasts.loc[forecasts["source"] == "b", "sd"] = np.nan
    sums = tally(forecasts, actuals, quarter_of, by=LEVEL, sources=["a", "b"])
    got = score(sums, by=LEVEL, judged=["a", "b"], naive="a").set_index("source")
    assert np.isnan(got.loc["b", "crps"])
    assert np.isnan(got.loc["b", "inside"])
    assert got.loc["b", "wape"] == got.loc["a", "wape"]


def test_nothing_sold_has_no_ratio() -> None:
    forecasts, actuals = rows(a=np.full(6, 5.0), b=np.full(6, 4.0))
    sums = tally(forecasts, actuals.assign(value=0.0), quarter_of, by=LEVEL, sources=["a", "b"])
    assert score(sums, by=LEVEL, judged=["a", "b"])["wape"].isna().all()


def test_chances_sum_to_one_and_follow_the_seed() -> None:
    rng = np.random.default_rng(3)
    errors = {name: rng.normal(0, 10, 24) for name in "abc"}
    one, two = scored(**errors), scored(**errors)
    assert one["chance_best"].sum() == pytest.approx(1.0)
    pd.testing.assert_frame_equal(one, two)
    assert scored(interval="bootstrap", **errors)["chance_best"].sum() == pytest.approx(1.0)


def test_an_interval_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TableError, match="no interval 'normal'"):
        scored(interval="normal", a=np.ones(6), b=np.ones(6))


# -- coverage -----------------------------------------------------------------------------------------


def coverage(interval: str, quarters: int, companies: int = 500) -> float:
    """How often a 90 % interval of a paired lead holds the truth, in companies whose quarters share market and mood."""
    rng, cells = np.random.default_rng(quarters), 12
    season = 1 + 0.25 * np.sin(np.arange(quarters) * np.pi / 2)

    def lead(count: int) -> tuple[np.ndarray, np.ndarray]:
        size = rng.lognormal(0, 0.4, (count, quarters, cells)) * season[None, :, None]
        market, mood = 0.05 * rng.standard_normal((2, count, quarters, 1))
        luck, noise = 0.15 * rng.standard_normal((2, count, quarters, cells))
        field = np.abs(0.02 + mood - 0.5 * (market + luck) + 0.7 * noise) * size
        target = np.abs(0.05 - market - luck) * size
        return (target - field).sum(axis=2), size.sum(axis=2)

    many = lead(40_000)
    truth = many[0].sum() / many[1].sum()
    held = 0
    for sums, size in zip(*lead(companies), strict=True):
        low, high = ratio_interval(sums[:, None], size, interval=interval, draws=400)
        held += low[0] <= truth <= high[0]
    return held / companies


@pytest.mark.parametrize("quarters", [4, 8])
def test_the_t_interval_holds_the_truth_about_as_often_as_it_says_and_the_bootstrap_less(quarters) -> None:
    """500 companies: one standard error of the coverage is 1.3 points, so 86 to 94 % is compatible with 90 %."""
    by_t, by_bootstrap = coverage("t", quarters), coverage("bootstrap", quarters)
    assert 0.85 <= by_t <= 0.945
    assert by_bootstrap < by_t - 0.02
