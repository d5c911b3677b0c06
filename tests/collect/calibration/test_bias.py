"""The bias of a forecaster: its sign, its limits, and what it must not be moved by."""

import numpy as np
import pandas as pd
import pytest

from spms_lib.collect.calibration.bias import COMPANY, learn_bias
from spms_lib.errors import TableError

PEOPLE = {f"p{number:02d}": value for number, value in enumerate(np.linspace(-0.2, 0.2, 12))}


def test_a_forecast_above_the_actual_is_a_positive_bias(drawn, one_team) -> None:
    record = drawn({"high": 0.3, "low": -0.3, "even": 0.0, "fair": 0.02})
    found = learn_bias(record, team=one_team, market=one_team).people
    assert found.loc["high", "bias_ratio"] == pytest.approx(np.expm1(0.3), abs=0.07)
    assert found.loc["low", "ratio_high"] < 0 < found.loc["high", "ratio_low"]
    assert np.expm1(found["bias"]).to_numpy() == pytest.approx(found["bias_ratio"].to_numpy())


def test_with_a_long_past_the_own_mean_counts_and_nothing_else(drawn, one_team) -> None:
    record = drawn(PEOPLE, quarters=60, noise=0.02)
    found = learn_bias(record, team=one_team, market=one_team, half_life=1e9).people
    assert (found["weight"] > 0.99).all()
    assert found["bias"].to_numpy() == pytest.approx(list(PEOPLE.values()), abs=0.02)


def test_somebody_without_a_past_is_expected_to_be_as_the_team_with_the_spread_of_people(
    drawn, one_team
) -> None:
    found = learn_bias(drawn(PEOPLE), team=one_team, market=one_team)
    new, team = found.newcomers.loc["north"], found.teams.loc["north"]
    assert new["bias"] == pytest.approx(team["bias"], abs=0.01)
    assert new["sd_own"] > 5 * team["sd_own"]
    assert new["sd_own"] == pytest.approx(found.spread["person"], rel=0.1)
    assert found.newcomers.loc[COMPANY, "sd_own"] >= new["sd_own"]


def test_a_short_past_is_drawn_closer_to_the_team_than_a_long_one(drawn, one_team) -> None:
    record = drawn({**PEOPLE, "long": 0.3, "short": 0.3}, noise=0.15)
    few = (record["forecaster"] != "short") | (record["quarter"] >= "2021Q3")
    found = learn_bias(record[few], team=one_team, market=one_team).people
    assert found.loc["short", "weight"] < found.loc["long", "weight"] < 1
    assert (
        found.loc["short", "high"] - found.loc["short", "low"]
        > found.loc["long", "high"] - found.loc["long", "low"]
    )


def test_until_the_least_history_the_team_speaks(drawn, one_team) -> None:
    record = drawn({**PEOPLE, "new": 0.4})
    few = (record["forecaster"] != "new") | (record["quarter"] == "2021Q4")
    found = learn_bias(record[few], team=one_team, market=one_team, least_history=6)
    assert found.people.loc["new", "evidence"] == "team"
    assert found.people.loc["new", "bias"] == found.newcomers.loc["north", "bias"]
    assert (
        learn_bias(record[few], team=one_team, market=one_team, least_history=3).people.loc["new", "bias"]
        > 0.2
    )


def test_a_quarter_in_which_everybody_was_too_high_is_nobodys_optimism(drawn, one_team) -> None:
    record = drawn({**PEOPLE, "late": 0.0}, noise=0.05)
    there = (record["forecaster"] != "late") | (record["quarter"] >= "2021Q3")
    calm = record[there]
    hit = calm.assign(log_ratio=calm["log_ratio"] + 0.4 * (calm["quarter"] == "2021Q4"))
    before, after = (learn_bias(one, team=one_team, market=one_team, half_life=1e9) for one in (calm, hit))
    late = after.people.loc["late"]
    assert late["own"] == pytest.approx(0.2, abs=0.05)  # the plain mean takes half of the shock
    assert late["bias"] < 0.6 * late["own"]
    apart = after.people["bias"] - before.people["bias"]
    assert np.ptp(apart.drop("late")) < 0.01  # nobody is moved against anybody else
    assert before.company["ratio_low"] < 0 < before.company["ratio_high"]
    assert (
        after.company["ratio_low"] < 0 < after.company["ratio_high"]
    )  # one bad quarter in eight proves nothing
    assert after.company["sd_shared"] > 2 * before.company["sd_shared"]
    assert after.quarters.set_index("quarter")["effect"].idxmax() == "2021Q4"


def test_one_freak_month_does_not_decide(drawn, one_team) -> None:
    record = drawn(PEOPLE, noise=0.05)
    freak = record.copy()
    freak.loc[freak.index[3], "log_ratio"] += 5.0
    before, after = (learn_bias(one, team=one_team, market=one_team).people for one in (record, freak))
    assert after["clipped"].sum() == 1
    assert (after["bias"] - before["bias"]).abs().max() < 0.05  # the plain mean of 24 months moves by 0.21


def test_order_of_rows_names_and_currency_change_nothing(drawn, one_team) -> None:
    record = drawn(PEOPLE)
    one = learn_bias(record, team=one_team, market=one_team).people
    mixed = record.sample(frac=1.0, random_state=5)
    assert learn_bias(mixed, team=one_team, market=one_team).people["bias"].to_numpy() == pytest.approx(
        one["bias"].to_numpy()
    )
    names = record.assign(forecaster="z" + (99 - record["forecaster"].str[1:].astype(int)).astype(str))
    renamed = learn_bias(names, team=one_team, market=one_team).people["bias"].to_numpy()
    assert renamed[::-1] == pytest.approx(one["bias"].to_numpy(), abs=1e-6)


def test_recent_quarters_count_more(drawn, one_team) -> None:
    record = drawn({**PEOPLE, "turned": 0.0}, noise=0.03)
    late = (record["forecaster"] == "turned") & (record["quarter"] >= "2021Q1")
    record["log_ratio"] += 0.3 * late
    slow, quick = (
        learn_bias(record, team=one_team, market=one_team, half_life=half).people.loc["turned", "bias"]
        for half in (1e9, 1.0)
    )
    assert slow == pytest.approx(0.15, abs=0.03)
    assert quick > 0.2


def test_ninety_per_cent_intervals_hold_the_truth_nine_times_in_ten(one_team) -> None:
    rng, held = np.random.default_rng(8), []
    for _ in range(25):
        truth = rng.normal(0.02, 0.12, 20)
        noise = rng.normal(0, 0.05, (20, 6, 1)) + rng.normal(0, 0.12, (20, 6, 3))
        y = truth[:, None, None] + rng.normal(0, 0.04, (1, 6, 1)) + noise
        person, quarter, _month = np.indices(y.shape)
        record = pd.DataFrame(
            {
                "forecaster": [f"p{at:02d}" for at in person.ravel()],
                "node": "a",
                "quarter": [f"2020Q{at}" for at in quarter.ravel()],
                "log_ratio": y.ravel(),
            }
        )
        found = learn_bias(record, team=one_team, market=one_team).people
        held.append(((found["low"] < truth) & (truth < found["high"])).mean())
    assert 0.85 < np.mean(held) < 0.96


def test_without_any_past_nothing_is_said(drawn, one_team) -> None:
    record = drawn(PEOPLE)
    assert learn_bias(record.assign(log_ratio=np.nan), team=one_team, market=one_team) is None
    with pytest.raises(TableError, match="log_ratio"):
        learn_bias(record.drop(columns="log_ratio"), team=one_team, market=one_team)


def test_one_forecaster_with_one_month_and_people_who_are_all_alike_are_no_trouble(drawn, one_team) -> None:
    single = drawn({"only": 0.2}).head(1)
    assert np.isfinite(learn_bias(single, team=one_team, market=one_team).people["bias"]).all()
    alike = drawn(PEOPLE).assign(log_ratio=0.0)
    assert learn_bias(alike, team=one_team, market=one_team).people["bias"].abs().max() < 1e-6
