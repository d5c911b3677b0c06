"""Names: only where the chance is as stated, with signals beside them."""

import numpy as np
import pandas as pd
import pytest

from spms_lib.collect.calibration.bias import learn_bias
from spms_lib.collect.calibration.detect import forecasts_off, signals
from spms_lib.errors import ParamsError

FAIR = {f"fair{number:02d}": 0.0 for number in range(14)}


def learned(record: pd.DataFrame, one_team):
    return learn_bias(record, team=one_team, market=one_team)


def test_those_far_off_are_listed_with_their_side_and_those_near_are_not(drawn, one_team) -> None:
    found = forecasts_off(learned(drawn({**FAIR, "under": -0.3, "over": 0.3}), one_team))
    assert set(found.index[found["listed"]]) == {"under", "over"}
    assert found.loc["under", "direction"] == "low"
    assert found.loc["over", "direction"] == "high"
    assert found["chance"].is_monotonic_decreasing
    assert found["wrong"].is_monotonic_increasing


def test_every_name_listed_is_as_sure_as_the_rate_says_and_a_stricter_rate_lists_fewer(
    drawn, one_team
) -> None:
    biases = learned(drawn({**FAIR, **{f"over{n}": 0.06 + 0.02 * n for n in range(8)}}, noise=0.15), one_team)
    loose, strict = (forecasts_off(biases, false_discovery=rate) for rate in (0.3, 0.02))
    assert loose["listed"].sum() > strict["listed"].sum()
    assert (loose.loc[loose["listed"], "chance"] >= 0.7).all()
    assert loose.loc[loose["listed"], "wrong"].max() <= 0.3


def test_in_a_company_of_fair_forecasters_nobody_is_named(drawn, one_team) -> None:
    named = [forecasts_off(learned(drawn(FAIR, seed=seed), one_team))["listed"].sum() for seed in range(10)]
    assert sum(named) <= 1


def test_a_short_past_names_nobody(drawn, one_team) -> None:
    record = drawn({**FAIR, "over": 0.5})
    few = (record["forecaster"] != "over") | (record["quarter"] == "2021Q4")
    assert "over" not in forecasts_off(learned(record[few], one_team)).index


def test_without_a_past_the_list_is_empty_and_a_silly_size_is_refused() -> None:
    assert forecasts_off(None).empty
    with pytest.raises(ParamsError, match="material"):
        forecasts_off(None, material=0.0)


def test_signals_count_months_beyond_the_own_forecast() -> None:
    rows = [("Ann", "commit_forecast", 100.0, came) for came in (130.0, 120.0, 105.0, 80.0)]
    rows += [("Ann", "commit", 50.0, 60.0), ("Ann", "pipeline", 550.0, 130.0)]
    record = pd.DataFrame(rows, columns=["forecaster", "category", "forecast", "actual"])
    late = pd.Series({"Ann": 0.4})
    found = signals(record, within=0.1, late_new=late).loc["Ann"]
    assert found["over"] == 0.5
    assert found["under"] == 0.25
    assert found["commit_to_pipeline"] == pytest.approx(50 / (550 - (400 - 50)))
    assert found["late_new_share"] == 0.4
    assert np.isnan(signals(record).loc["Ann", "late_new_share"])
