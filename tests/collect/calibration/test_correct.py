"""Corrected forecasts: the side, the size, the evidence, and errors that do not cancel."""

import numpy as np
import pandas as pd
import pytest

from spms_lib.collect.calibration.bias import learn_bias
from spms_lib.collect.calibration.correct import PARTS, corrected, variance_of_sum, walk_forward

PEOPLE = {f"p{number:02d}": value for number, value in enumerate(np.linspace(-0.2, 0.2, 12))}
NORTH = pd.Series({f"seat of {name}": "north" for name in [*PEOPLE, "new"]})


def asked(*names: str, value: float = 100.0, months: int = 1) -> pd.DataFrame:
    rows = [
        (f"seat of {name}", f"2022-{month + 1:02d}", name, value) for name in names for month in range(months)
    ]
    return pd.DataFrame(rows, columns=["node", "period", "forecaster", "value"])


@pytest.fixture
def biases(drawn):
    return learn_bias(drawn(PEOPLE, shocks=0.05), team=NORTH, market=NORTH)


def test_who_forecasts_high_is_lowered_and_who_forecasts_low_is_raised(biases) -> None:
    low, high = corrected(asked("p00", "p11"), biases, team=NORTH).itertuples()
    assert high.corrected < high.raw == 100 == low.raw < low.corrected
    assert high.factor == pytest.approx(1 / (1 + biases.people.loc["p11", "bias_ratio"]))
    assert high.factor_low < high.factor < high.factor_high < 1 < low.factor_low


def test_the_best_evidence_there_is_counts(biases) -> None:
    rows = asked("p00", "new", "stranger")
    found = corrected(rows, biases, team=NORTH)
    assert found["evidence"].tolist() == ["own", "team", "company"]
    assert found["variance"].iloc[1] > found["variance"].iloc[0]
    assert found["variance_seat"].iloc[1] > found["variance_seat"].iloc[0] / found["factor"].iloc[0] ** 2
    nobody = corrected(rows, None, team=NORTH)
    assert nobody["evidence"].eq("none").all()
    assert nobody["corrected"].equals(nobody["raw"])
    assert nobody["variance"].isna().all()  # not known is not zero


def test_the_correction_scales_with_the_currency(biases) -> None:
    one, cents = (
        corrected(asked("p03", value=value), biases, team=NORTH).iloc[0] for value in (100.0, 10_000.0)
    )
    assert cents["corrected"] == pytest.approx(100 * one["corrected"])
    assert cents["variance"] == pytest.approx(100**2 * one["variance"])


def test_a_forecast_of_zero_stays_zero_and_is_not_called_certain(biases) -> None:
    row = corrected(asked("p03", value=0.0), biases, team=NORTH).iloc[0]
    assert row["corrected"] == 0
    assert np.isnan(row["variance"])


def test_errors_in_common_add_up_and_own_ones_partly_cancel(biases) -> None:
    found = corrected(asked(*PEOPLE, months=3), biases, team=NORTH)
    whole = pd.Series("all", found.index)
    total = variance_of_sum(found, by=whole, market=NORTH)["all"]
    assert total > found["variance"].sum()
    only = found.assign(**{**dict.fromkeys(PARTS, 0.0), "variance_common": found["variance_common"]})
    assert variance_of_sum(only, by=whole, market=NORTH)["all"] == pytest.approx(
        np.sqrt(found["variance_common"]).sum() ** 2
    )
    single = found.assign(**{**dict.fromkeys(PARTS, 0.0), "variance_month": found["variance_month"]})
    assert variance_of_sum(single, by=whole, market=NORTH)["all"] == pytest.approx(
        found["variance_month"].sum()
    )


def test_a_past_quarter_is_corrected_from_those_before_it_alone(drawn) -> None:
    record = drawn(PEOPLE)
    walked = walk_forward(record, team=NORTH, market=NORTH)
    assert sorted(walked["quarter"].unique()) == sorted(record["quarter"].unique())[2:]
    last = record["quarter"] == record["quarter"].max()
    other = record.assign(
        actual=record["actual"].where(~last, 1.0), log_ratio=record["log_ratio"].where(~last, 9.0)
    )
    assert walk_forward(other, team=NORTH, market=NORTH)["corrected"].tolist() == walked["corrected"].tolist()


def test_correcting_biased_forecasters_comes_nearer(drawn) -> None:
    walked = walk_forward(drawn(PEOPLE), team=NORTH, market=NORTH)
    raw, better = ((walked[name] - walked["actual"]).abs().sum() for name in ("raw", "corrected"))
    assert better < 0.9 * raw
    assert 0.8 < walked["actual"].between(walked["low"], walked["high"]).mean() < 0.97
