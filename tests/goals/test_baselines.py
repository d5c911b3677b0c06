"""Statistical baselines: the nearest in the past, on the same cells, without a glance at later months."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import ParamsError, PeriodError, TableError
from spms_lib.goals.baseline import baseline
from spms_lib.goals.baselines import CANDIDATES, Baselines, statistical_baseline
from spms_lib.goals.baselines.candidates import HOUSE, OFFERED
from spms_lib.hierarchy import Hierarchy
from spms_lib.reconcile.methods import MinT, WlsVar
from spms_lib.reconcile.plan import reconcile

pytest.importorskip("statsforecast", reason="statsforecast exists for Python 3.11 and 3.12 only")

YEAR = FiscalCalendar()
QUICK = ("mean", "year_mean", "naive", "seasonal_naive", "croston_sba")
OWN_SEASON = {"seasonal_naive", "auto_theta", "auto_ets"}
SEASON = np.array([5.0, 5, 6, 7, 7, 8, 9, 6, 7, 8, 9, 12])
nan = float("nan")


def shops(nodes: int, months: int, noise: float, seed: int = 1) -> pd.DataFrame:
    """Independent nodes of all sizes, each with a season of its own and no growth, in cents, from January 2020."""
    rng = np.random.default_rng(seed)
    wave = 1.0 + 0.3 * np.sin(2 * np.pi * (np.arange(months) / 12 + rng.random((nodes, 1))))
    size = rng.lognormal(12, 1, (nodes, 1))
    values = size * wave * (1.0 + noise * rng.standard_normal((nodes, months)))
    names = YEAR.range("2020-01", YEAR.shift("2020-01", months - 1))
    return pd.DataFrame(values, [f"shop{i}" for i in range(nodes)], names)


def after(history: pd.DataFrame, count: int = 3, gap: int = 0) -> list[str]:
    last = history.columns[-1]
    return YEAR.range(YEAR.shift(last, 1 + gap), YEAR.shift(last, count + gap))


def asked(history: pd.DataFrame, months: list[str] | None = None, **more) -> Baselines:
    settings = {"models": QUICK, **more}
    return statistical_baseline(history, months or after(history), YEAR, **settings)


def mixed() -> pd.DataFrame:
    """One node of each kind: long, grown, rare, new, very new, gone silent, never seen, and one that gives back."""
    history = shops(8, 42, 0.1)
    history.index = ["long", "grown", "rare", "new", "baby", "silent", "ghost", "returns"]
    history.loc["grown"] *= 1.02 ** np.arange(42)
    history.loc["rare"] = np.where(np.arange(42) % 4 == 1, history.loc["rare"], 0.0)
    history.loc["new", history.columns[:22]] = nan
    history.loc["baby", history.columns[:37]] = nan
    history.loc["silent", history.columns[-1]] = nan
    history.loc["ghost"] = nan
    history.loc["returns"] -= history.loc["returns"].mean()
    return history


@pytest.fixture(scope="session")
def found() -> Baselines:
    return asked(mixed(), models=CANDIDATES)


def row(answer: Baselines, node: str) -> pd.Series:
    return answer.choice.set_index("node").loc[node]


# -- what is chosen ------------------------------------------------------------------------------------


def test_a_purely_seasonal_node_is_forecast_exactly_by_the_simplest_model_that_can() -> None:
    history = pd.DataFrame([np.tile(SEASON, 4) * 1000], ["shop"], YEAR.range("2020-01", "2023-12"))
    answer = asked(history, models=CANDIDATES)
    assert answer.forecast.loc["shop"].tolist() == pytest.approx([5000, 5000, 6000], rel=1e-9)
    assert row(answer, "shop")["model"] == "seasonal_naive"
    assert row(answer, "shop")["error"] == pytest.approx(0.0, abs=1e-9)
    assert answer.deviation.loc["shop"].tolist() == [1.0] * 3  # a minor unit: only a hold is certain


def test_the_kind_of_a_node_decides_what_it_is_offered_and_the_reason_is_on_record(found: Baselines) -> None:
    kinds = found.choice.set_index("node")["kind"].to_dict()
    assert kinds == {
        "long": "regular",
        "grown": "regular",
        "rare": "sparse",
        "new": "short",
        "baby": "young",
        "silent": "unseen",
        "ghost": "unseen",
        "returns": "regular",
    }
    compared = found.errors.groupby("node")["model"].agg(set)
    for node in ("long", "grown", "rare", "new"):
        assert compared[node] == set(OFFERED[kinds[node]])
    assert "baby" not in compared
    assert row(found, "baby")["reason"] == "too few months to compare models: the house's baseline by rule"
    assert row(found, "rare")["reason"].startswith("74% of the months are zero, models for sparse sales only")
    assert row(found, "new")["reason"].startswith("too few months for a seasonal model")
    assert found.choice["reason"].str.len().gt(0).all()


@pytest.mark.parametrize("known", [1, 5, 11, 17, 23])
def test_a_node_under_two_years_never_has_a_seasonal_model(known: int) -> None:
    history = pd.DataFrame(
        [np.tile(SEASON, 4) * 1000.0] * 2, ["old", "new"], YEAR.range("2020-01", "2023-12")
    )
    history.loc["new", history.columns[:-known]] = nan
    answer = asked(history, models=CANDIDATES)
    assert row(answer, "new")["model"] not in OWN_SEASON
    assert not OWN_SEASON & set(answer.errors.loc[answer.errors["node"] == "new", "model"])
    assert answer.forecast.loc["new"].notna().all()


def test_without_a_margin_the_smallest_past_error_among_the_offered_is_chosen() -> None:
    answer = asked(shops(40, 42, 0.3), margin=0.0, prior_windows=0.0)
    least = answer.errors.groupby("node")["error"].min()
    chosen = answer.choice.set_index("node")["error"]
    assert chosen.to_dict() == pytest.approx(least.reindex(chosen.index).to_dict())
    assert len(set(answer.choice["model"])) > 1


def test_the_house_is_kept_unless_another_leads_clearly_and_says_so() -> None:
    history = shops(40, 42, 0.3)
    doubtful, never = (asked(history, margin=margin).choice for margin in (2.0, 1e9))
    assert set(never["model"]) == {HOUSE}
    kept = doubtful[doubtful["reason"].str.contains("no other leads clearly")]
    assert len(kept)
    assert set(kept["model"]) == {HOUSE}
    assert (kept["next_error"] <= kept["error"] * 1.2).all()
    chance = 1.0 + 0.05 * np.random.default_rng(9).standard_normal((20, 28))
    names = YEAR.range("2022-01", "2024-04")
    steep = pd.DataFrame(1000.0 * 1.1 ** np.arange(28) * chance, [f"s{i}" for i in range(20)], names)
    assert set(asked(steep).choice["model"]) == {"naive"}  # a level that runs away from every average


def test_errors_are_those_of_a_walk_through_the_past_by_hand() -> None:
    history = shops(3, 36, 0.2)
    answer = asked(history, windows=3)
    errors = answer.errors.set_index(["node", "model"])["error"]
    said = {HOUSE: [], "seasonal_naive": [], "year_mean": []}
    for end in (33, 30, 27):
        known, months = history.iloc[:, :end], list(history.columns[end : end + 3])
        said[HOUSE].append(baseline(known, months, YEAR).to_numpy())
        said["seasonal_naive"].append(known.iloc[:, -12:-9].to_numpy())
        said["year_mean"].append(np.repeat(known.iloc[:, -12:].mean(axis=1).to_numpy()[:, None], 3, axis=1))
    came = np.hstack([history.iloc[:, end : end + 3].to_numpy() for end in (33, 30, 27)])
    for model, parts in said.items():
        by_hand = np.abs(np.hstack(parts) - came).sum(axis=1) / came.sum(axis=1)
        assert errors.xs(model, level="model").tolist() == pytest.approx(by_hand)


def test_rare_sales_are_judged_by_squares_since_the_absolute_error_is_least_for_nothing() -> None:
    rare = np.where(np.random.default_rng(5).random((1, 48)) < 0.25, 1000.0, 0.0)
    history = pd.DataFrame(rare, ["rare"], YEAR.range("2020-01", "2023-12"))
    answer = asked(history, models=("year_mean",))
    ends = range(45, 21, -3)
    miss = np.concatenate([rare[0, end - 12 : end].mean() - rare[0, end : end + 3] for end in ends])
    came = np.concatenate([rare[0, end : end + 3] for end in ends])
    error = answer.errors.set_index("model")["error"]
    assert row(answer, "rare")["measure"] == "rmse ratio"
    assert error["year_mean"] == pytest.approx(np.sqrt((miss**2).sum() / (came**2).sum()))


# -- against statsforecast itself --------------------------------------------------------------------


@pytest.mark.parametrize("model", [name for names in OFFERED.values() for name in names if name != HOUSE])
def test_a_model_says_what_statsforecast_says_when_called_directly(model: str) -> None:
    from statsforecast import models as theirs

    from spms_lib.goals.baselines.series import forecast_series

    made = {
        "mean": theirs.HistoricAverage(),
        "naive": theirs.Naive(),
        "year_mean": theirs.WindowAverage(12),
        "seasonal_naive": theirs.SeasonalNaive(12),
        "croston_sba": theirs.CrostonSBA(),
        "tsb": theirs.TSB(0.1, 0.1),
        "adida": theirs.ADIDA(),
        "imapa": theirs.IMAPA(),
        "auto_theta": theirs.AutoTheta(season_length=12),
        "auto_ets": theirs.AutoETS(season_length=12),
    }
    series = shops(1, 40, 0.1).to_numpy()[0]
    series = series / series.mean()
    with np.errstate(all="ignore"):
        alone = made[model].forecast(y=series, h=4)["mean"]
    among_others = forecast_series([series[:30], series, series * 0.0], [model], 4)[model][1]
    assert among_others.tolist() == pytest.approx(np.asarray(alone).tolist(), rel=1e-6)


def test_the_chosen_models_forecast_is_the_answer() -> None:
    from statsforecast.models import AutoETS

    history = shops(1, 48, 0.02) * 1.03 ** np.arange(48)  # growth and season: what smoothing is made for
    answer = asked(history, models=("auto_ets", "year_mean"))
    assert row(answer, "shop0")["model"] == "auto_ets"
    series = history.to_numpy()[0]
    with np.errstate(all="ignore"):
        direct = AutoETS(season_length=12).forecast(y=series / series.mean(), h=3)["mean"] * series.mean()
    assert answer.forecast.loc["shop0"].tolist() == pytest.approx(direct.tolist(), rel=1e-6)


# -- laws --------------------------------------------------------------------------------------------


def test_another_unit_of_money_scales_everything(found: Baselines) -> None:
    scaled = asked(mixed() * 7.0, models=CANDIDATES)
    pd.testing.assert_frame_equal(scaled.forecast, found.forecast * 7.0, rtol=1e-6)
    pd.testing.assert_frame_equal(scaled.variance, found.variance * 49.0, rtol=1e-6)
    pd.testing.assert_frame_equal(scaled.choice, found.choice, rtol=1e-6)


def test_the_order_of_the_nodes_does_not_matter(found: Baselines) -> None:
    shuffled = mixed().sample(frac=1.0, random_state=3)
    answer = asked(shuffled, models=CANDIDATES)
    assert list(answer.forecast.index) == list(shuffled.index)
    pd.testing.assert_frame_equal(answer.forecast.loc[found.forecast.index], found.forecast)
    back = answer.choice.set_index("node").loc[found.choice["node"]].reset_index()
    pd.testing.assert_frame_equal(back, found.choice)


def test_nothing_later_than_the_cut_is_looked_at() -> None:
    history = shops(5, 42, 0.2)
    cut = history.iloc[:, :36]
    changed = history.copy()
    changed.iloc[:, 36:] *= 1000.0
    before, later = (asked(frame.iloc[:, :36]) for frame in (history, changed))
    pd.testing.assert_frame_equal(before.forecast, later.forecast)
    # nor does a window know what came after it: only the newest window's actuals change here
    bent = cut.copy()
    bent.iloc[:, -3:] *= 5.0
    alone = {"models": (HOUSE,)}
    last = list(cut.columns[-3:])
    old, new = asked(cut, **alone).residuals, asked(bent, **alone).residuals
    pd.testing.assert_frame_equal(
        *(rows[~rows["period"].isin(last)].reset_index(drop=True) for rows in (old, new))
    )
    assert not old.equals(new)


def test_neither_processes_nor_threads_nor_engines_change_the_answer(found: Baselines) -> None:
    history = mixed()
    two = asked(history, models=CANDIDATES, n_jobs=2)
    with ThreadPoolExecutor(1) as executor:
        handed = asked(history, models=CANDIDATES, backend=executor)
    for other in (two, handed):
        pd.testing.assert_frame_equal(other.forecast, found.forecast, rtol=0, atol=0)
        pd.testing.assert_frame_equal(other.choice, found.choice, rtol=0, atol=0)
        pd.testing.assert_frame_equal(other.residuals, found.residuals, rtol=0, atol=0)


def test_an_executor_is_handed_blocks_and_their_answers_are_put_together(monkeypatch) -> None:
    from spms_lib.goals.baselines import series

    class Counting(ThreadPoolExecutor):
        blocks: list[int] = []  # noqa: RUF012

        def map(self, function, *blocks, **more):
            self.blocks.extend(len(block) for block in blocks[0])
            return super().map(function, *blocks, **more)

    history = shops(4, 36, 0.1)
    straight = asked(history)
    monkeypatch.setattr(series, "BLOCK", 7)
    with Counting(1) as executor:
        pd.testing.assert_frame_equal(asked(history, backend=executor).forecast, straight.forecast)
    assert sorted(set(executor.blocks)) == [6, 7]  # 4 nodes, 4 windows and the future: 20 series


def test_an_engine_of_fugue_is_reached_and_answers_in_single_precision() -> None:
    history = shops(4, 36, 0.1)
    straight, spread = asked(history), asked(history, backend="native")
    pd.testing.assert_frame_equal(spread.forecast, straight.forecast, rtol=1e-5)
    with pytest.raises(ParamsError, match=r"no such engine.*did not answer.*get_executor"):
        asked(history, backend="no such engine")


# -- missing is not zero -----------------------------------------------------------------------------


def test_there_is_a_forecast_wherever_one_is_possible_and_none_where_nobody_can_tell(
    found: Baselines,
) -> None:
    known = mixed().notna().any(axis=1)
    assert found.forecast.notna().all(axis=1).to_dict() == known.to_dict()
    assert found.deviation.notna().all(axis=1).to_dict() == known.to_dict()
    ghost = row(found, "ghost")
    assert pd.isna(ghost["model"])
    assert pd.isna(ghost["error"])
    assert ghost["evidence"] == "none"
    assert "ghost" not in set(found.estimates["node"])


def test_months_before_the_first_sale_are_not_zeros() -> None:
    history = shops(2, 42, 0.0)
    history.iloc[1] = 1000.0
    history.iloc[1, :15] = nan
    as_zero = history.fillna(0.0)
    forecast = asked(history).forecast.loc["shop1"]
    assert forecast.tolist() == pytest.approx([1000.0] * 3, rel=0.05)
    assert row(asked(history), "shop1")["zero_ratio"] == 0.0
    assert row(asked(as_zero), "shop1")["zero_ratio"] == pytest.approx(15 / 42)


def test_a_hole_ends_what_models_may_use() -> None:
    history = shops(2, 42, 0.1)
    history.iloc[1, 10] = nan
    assert asked(history).choice["months"].tolist() == [42, 31]


def test_a_node_that_never_sold_less_than_nothing_is_not_forecast_below_zero(found: Baselines) -> None:
    history = shops(1, 42, 0.0) * np.maximum(1.0 - np.arange(42) / 40.0, 0.0)
    answer = asked(history, models=("auto_theta", "auto_ets"), margin=0.0)
    assert (answer.forecast >= 0).all(axis=None)
    assert (answer.lower >= 0).all(axis=None)
    assert (found.lower.loc["returns"] < 0).any()


def test_months_between_are_bridged_in_the_past_as_now() -> None:
    history = shops(2, 42, 0.2)
    months = after(history, 3, gap=2)
    answer = asked(history, months, models=("naive", "seasonal_naive"))
    assert list(answer.forecast.columns) == months
    first = answer.residuals["period"].unique()[-3:]
    assert list(first) == list(history.columns[-3:])
    seasonal = asked(history, months, models=("seasonal_naive",), margin=0.0, prior_windows=0.0)
    mine = seasonal.choice.set_index("node")["model"] == "seasonal_naive"
    assert mine.any()
    expected = history.loc[mine, [YEAR.same_period_last_year(month) for month in months]].to_numpy()
    assert seasonal.forecast.loc[mine].to_numpy() == pytest.approx(expected)


# -- how sure ----------------------------------------------------------------------------------------


def test_eighty_per_cent_intervals_hold_eight_times_of_ten() -> None:
    """2,000 nodes, one month each, so that hits are independent; four standard errors of a binomial are 3.6 %."""
    world = shops(2000, 49, 0.1, seed=11)
    history, came = world.iloc[:, :48], world.iloc[:, 48]
    for interval in (0.5, 0.8, 0.95):
        answer = asked(history, list(world.columns[48:]), interval=interval, models=("seasonal_naive",))
        month = world.columns[48]
        held = ((came >= answer.lower[month]) & (came <= answer.upper[month])).mean()
        allowed = 4.0 * np.sqrt(interval * (1.0 - interval) / len(world))
        assert held == pytest.approx(interval, abs=allowed), interval


def test_a_noisier_node_has_a_wider_interval_and_more_confidence_too() -> None:
    answers = [asked(shops(50, 42, noise)) for noise in (0.02, 0.1, 0.3)]
    wide = np.array([np.median((answer.upper - answer.lower) / answer.forecast) for answer in answers])
    assert (np.diff(wide) > 0).all()
    assert wide[1] / wide[0] == pytest.approx(5.0, rel=0.4)
    narrow, broad = (asked(shops(5, 42, 0.1), interval=chance) for chance in (0.5, 0.9))
    assert (broad.upper > narrow.upper).all(axis=None)
    assert (broad.lower < narrow.lower).all(axis=None)


def test_a_node_without_a_past_has_the_error_ratio_of_its_level() -> None:
    history = shops(30, 42, 0.1)
    history.iloc[20:] *= 1.0 + np.random.default_rng(2).standard_normal((10, 42)) * 0.5
    history.loc["new_calm"], history.loc["new_wild"] = (history.iloc[at].copy() for at in (0, 25))
    history.iloc[-2:, :-4] = nan
    levels = pd.Series(["calm"] * 20 + ["wild"] * 10 + ["calm", "wild"], history.index)
    answer = asked(history, levels=levels)
    ratio = (answer.deviation / answer.forecast.abs()).loc[["new_calm", "new_wild"]].mean(axis=1)
    assert ratio["new_wild"] > 2.0 * ratio["new_calm"]
    assert row(answer, "new_calm")["evidence"] == "group"
    alone = asked(history.iloc[-2:])
    assert alone.forecast.notna().all(axis=None)
    assert alone.deviation.isna().all(axis=None)  # nobody has a past: nobody can tell


def test_the_variance_is_the_mean_square_of_the_misses_handed_out() -> None:
    answer = asked(shops(6, 42, 0.2))
    squares = answer.residuals.assign(square=answer.residuals["value"] ** 2).groupby("node")["square"].mean()
    month = answer.variance.columns[0]
    assert answer.variance[month].to_dict() == pytest.approx(squares.to_dict())


def test_the_choice_does_not_flatter_itself() -> None:
    """Pure chance and two windows: the smallest past error promises more than it keeps, the misses do not."""
    rng = np.random.default_rng(4)
    world = pd.DataFrame(
        1000.0 + 100.0 * rng.standard_normal((1000, 51)),
        [f"n{i}" for i in range(1000)],
        YEAR.range("2020-01", YEAR.shift("2020-01", 50)),
    )
    months = list(world.columns[48:])
    answer = asked(world.iloc[:, :48], months, windows=2, margin=0.0, prior_windows=0.0)
    kept = float(np.square(answer.forecast - world[months]).to_numpy().mean())
    assert float(answer.variance.to_numpy().mean()) == pytest.approx(kept, rel=0.08)


def test_estimates_and_residuals_are_what_reconciliation_takes(toy: Hierarchy) -> None:
    leaves = shops(5, 48, 0.2)
    leaves.index = toy.leaves
    answer = asked(toy.roll_up(leaves), levels=toy.level)
    estimates = answer.estimates
    assert list(estimates.columns) == ["node", "period", "source", "value", "variance"]
    assert len(estimates) == len(toy) * 3
    for method in (MinT(answer.residuals), WlsVar(answer.residuals)):
        plan = reconcile(toy, estimates, method=method)
        assert len(plan.commitments) == len(toy)
    assert len(answer.residuals) == len(toy) * 8 * 3
    short = answer.residuals.drop(index=answer.residuals.index[0])
    from dataclasses import replace

    assert replace(answer, residuals=short).common_residuals["period"].nunique() == 23


# -- refusals and edges ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"models": ("auto_arima",)}, ParamsError, "no model 'auto_arima'.*auto_ets"),
        ({"interval": 1.0}, ParamsError, "interval=1.0"),
        ({"windows": -1}, ParamsError, "windows=-1"),
        ({"months": ["2023-06"]}, PeriodError, "2023-06 is known already"),
        ({"months": ["2023-07", "2023-09"]}, PeriodError, "months are not consecutive"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(change: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        asked(shops(1, 42, 0.1), **change)


def test_a_history_with_holes_in_its_months_or_doubled_nodes_is_refused() -> None:
    history = shops(2, 42, 0.1)
    with pytest.raises(PeriodError, match="history are not consecutive"):
        asked(history.drop(columns="2021-05"))
    with pytest.raises(TableError, match="listed twice"):
        asked(history.rename(index={"shop1": "shop0"}))
    with pytest.raises(TableError, match="infinite"):
        asked(history.replace(history.iloc[0, 0], np.inf))


def test_no_nodes_no_months_and_no_windows_are_edges_and_no_crashes() -> None:
    history = shops(2, 42, 0.1)
    assert asked(history.iloc[:0]).forecast.empty
    nothing = asked(history.iloc[:, :0], ["2020-01"])
    assert nothing.forecast.isna().all(axis=None)
    assert set(nothing.choice["evidence"]) == {"none"}
    by_rule = asked(history, windows=0)
    assert set(by_rule.choice["model"]) == {HOUSE}
    assert by_rule.residuals.empty


def test_a_missing_statsforecast_is_named_with_its_remedy(monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(ParamsError, match=r"statsforecast is not installed.*house"):
        asked(shops(1, 42, 0.1))
    assert asked(shops(1, 42, 0.1), models=(HOUSE,)).forecast.notna().all(axis=None)


def test_statsforecast_is_loaded_only_when_a_forecast_is_asked_for() -> None:
    import subprocess
    import sys

    code = "import sys, spms_lib.goals.baselines; print(*sorted({'statsforecast', 'statsmodels'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
