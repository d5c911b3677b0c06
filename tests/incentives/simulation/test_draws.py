"""Draws: the same for every plan, as wide as the beliefs, and no more in common than stated."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spms_lib.errors import ParamsError, TableError
from spms_lib.incentives.simulation import draws as drawing
from spms_lib.incentives.simulation.beliefs import lay_out
from spms_lib.incentives.simulation.draws import Performance
from spms_lib.incentives.simulation.factors import Factors, factor_shares
from spms_lib.incentives.simulation.simulate import simulate, simulate_all


def drawn(beliefs, factors, draws=4000, seed=3):
    laid = lay_out(beliefs, factors.marginal)
    parts = [block[laid.result] for _, block in Performance(laid, factors, draws, seed).drawn()]
    return laid, np.concatenate(parts)


@pytest.mark.parametrize("marginal", ["normal", "lognormal"])
def test_mean_spread_and_correlation_are_those_believed(marginal, make) -> None:
    laid, values = drawn(make.team(), Factors(marginal, 0.3, 0.2), draws=20_000)
    mean, sd = laid.means["sales"], laid.sds["sales"]
    assert values.mean(axis=1) == pytest.approx(mean, rel=0.01)
    assert values.std(axis=1) == pytest.approx(sd, rel=0.03)
    steps = np.log(values) if marginal == "lognormal" else values
    seen = np.corrcoef(steps)
    same = laid.territory[:, None] == laid.territory[None, :]
    apart = ~np.eye(len(mean), dtype=bool)
    assert seen[same & apart].mean() == pytest.approx(0.5, abs=0.015)
    assert seen[~same].mean() == pytest.approx(0.3, abs=0.015)


def test_components_of_one_payee_share_no_more_than_market_and_territory(make) -> None:
    beliefs = pd.concat([make.team(30), make.team(30).assign(component="margin")])
    laid = lay_out(beliefs)
    ((_, both),) = Performance(laid, Factors(market=0.2, territory=0.1), 4000, 1).drawn()
    seen = [np.corrcoef(a, b)[0, 1] for a, b in zip(both["sales"], both["margin"], strict=True)]
    assert np.mean(seen) == pytest.approx(0.3, abs=0.02)


def test_the_same_seed_repeats_bit_for_bit_and_another_does_not(make) -> None:
    runs = [simulate(make.accelerated, make.team(), draws=300, seed=seed) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(runs[0].payees, runs[1].payees, check_exact=True)
    assert (runs[0].cost == runs[1].cost).all()
    assert (runs[0].cost != runs[2].cost).all()


def test_neither_quotas_nor_the_order_of_rows_nor_another_measure_change_the_draws(make) -> None:
    beliefs = make.team()
    plain = simulate(make.accelerated, beliefs, draws=200, seed=1)
    dearer = beliefs.assign(quota=beliefs["quota"] * 2).sample(frac=1.0, random_state=0)
    more = beliefs.assign(component="margin", mean=1.0, sd=0.1)
    other = simulate(make.accelerated, pd.concat([dearer, more]), draws=200, seed=1)
    assert (plain.result == other.result).all()


def test_memory_stays_bounded_as_payees_are_drawn_block_by_block(make, monkeypatch) -> None:
    whole = simulate(make.accelerated, make.team(64, areas=3), draws=256, seed=1)
    monkeypatch.setattr(drawing, "BLOCK_CELLS", 256 * 7)  # seven payees at once
    laid = lay_out(make.team(64, areas=3))
    sizes = [len(v["sales"]) for _, v in Performance(laid, Factors(), 256, 1).drawn()]
    assert (sum(sizes), max(sizes)) == (64, 7)
    parts = simulate(make.accelerated, make.team(64, areas=3), draws=256, seed=1)
    assert parts.cost.mean() == pytest.approx(whole.cost.mean(), rel=0.05)


def test_correlation_moves_the_tail_of_cost_and_not_its_mean(make) -> None:
    apart, together = (
        simulate(make.accelerated, make.team(200), draws=4000, seed=4, factors=Factors(market=share, territory=0.0)).cost
        for share in (0.0, 0.5)
    )  # fmt: skip
    error = np.hypot(apart.std(), together.std()) / np.sqrt(4000)
    assert abs(apart.mean() - together.mean()) < 4 * error
    assert np.quantile(together, 0.9) > np.quantile(apart, 0.9) * 1.15


def test_common_draws_cut_the_variance_of_differences(make) -> None:
    """The measured ratio, here some 600, so as many times fewer draws will do."""
    beliefs, quotas = make.team(30), {"now": 1.0, "hedge": 1.03}
    common, apart = [], []
    for seed in range(40):
        runs = simulate_all({"p": make.accelerated}, beliefs, draws=100, seed=seed, quotas=quotas)
        common.append(runs["hedge"].cost.mean() - runs["now"].cost.mean())
        other = simulate(make.accelerated, beliefs, draws=100, seed=1000 + seed)
        apart.append(runs["hedge"].cost.mean() - other.cost.mean())
    ratio = np.var(apart) / np.var(common)
    assert ratio > 20


def test_a_stratified_market_cuts_the_error_of_expected_cost(make, monkeypatch) -> None:
    beliefs, factors = make.team(300), Factors(market=0.4, territory=0.0)
    costs = [simulate(make.accelerated, beliefs, draws=100, seed=s, factors=factors).cost for s in range(30)]
    within = np.mean([cost.var(ddof=1) / 100 for cost in costs])  # what independent draws would have
    ratio = within / np.var([cost.mean() for cost in costs], ddof=1)
    assert ratio > 10


@pytest.mark.parametrize("marginal", ["normal", "lognormal"])
@pytest.mark.parametrize("times", [0.3, 0.8, 1.0, 1.7, 3.0])
def test_the_known_spread_of_the_company_is_reproduced(marginal, times, make) -> None:
    beliefs = make.team(30, areas=3)
    wanted = times * np.sqrt((beliefs["sd"] ** 2).sum())
    factors = Factors(marginal).reproducing(beliefs, wanted)
    assert (factors.pull > 0) == (times < 1)
    laid, values = drawn(beliefs, factors, draws=20_000)
    assert values.sum(axis=0).std() == pytest.approx(wanted, rel=0.03)
    assert values.std(axis=1) == pytest.approx(laid.sds["sales"], rel=0.04)
    assert f"{wanted:,.0f}" in factors.convention


def test_a_spread_that_no_payees_could_have_is_refused(make) -> None:
    beliefs = make.team(10)
    with pytest.raises(ParamsError, match="move as one"):
        Factors().reproducing(beliefs, 1.01 * beliefs["sd"].sum())
    assert Factors().reproducing(beliefs, beliefs["sd"].sum()).market == pytest.approx(1.0)


def test_shares_in_common_are_learnt_from_past_attainments() -> None:
    rng = np.random.default_rng(8)
    rows = []
    for period in range(60):
        market = rng.normal(0, 0.3**0.5)
        for area in range(6):
            shared = market + rng.normal(0, 0.2**0.5)
            for seat in range(10):
                attained = 1 + seat / 20 + 0.2 * (shared + rng.normal(0, 0.5**0.5))
                rows.append((f"{area}-{seat}", f"t{area}", period, attained))
    history = pd.DataFrame(rows, columns=["payee", "territory", "period", "attainment"])
    found = factor_shares(history)
    assert (found.market, found.territory) == pytest.approx((0.3, 0.2), abs=0.06)
    alone = factor_shares(history.assign(attainment=rng.normal(1, 0.2, len(history))))
    assert (alone.market, alone.territory) == pytest.approx((0.0, 0.0), abs=0.02)


def test_two_periods_are_refused_as_evidence() -> None:
    rows = pd.DataFrame({"payee": ["a", "a"], "territory": "t", "period": [1, 2], "attainment": [1.0, 1.1]})
    with pytest.raises(TableError, match="2 periods"):
        factor_shares(rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sd": -1.0}, "negative spread"),
        ({"payee": "a"}, "stands twice"),
    ],
)
def test_beliefs_that_contradict_themselves_are_refused(change, words, make) -> None:
    with pytest.raises(TableError, match=words):
        simulate(make.accelerated, make.team(3).assign(**change), draws=10, seed=1)
    with pytest.raises(TableError, match="not above zero"):
        simulate(
            make.accelerated, make.team(3).assign(mean=0.0), draws=10, seed=1, factors=Factors("lognormal")
        )


def test_shares_beyond_one_and_a_single_draw_are_refused(make) -> None:
    with pytest.raises(ParamsError, match="shares"):
        replace(Factors(), market=0.7, territory=0.4)
    with pytest.raises(ParamsError, match="marginal"):
        Factors("gamma")
    with pytest.raises(ParamsError, match="1 draws"):
        simulate(make.accelerated, make.team(3), draws=1, seed=1)
