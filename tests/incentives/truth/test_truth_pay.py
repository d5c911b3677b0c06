"""The forecast bonus of many payees, to the cent, and its budget."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.errors import MoneyError, PlanError, TableError
from spms_lib.incentives.truth.builders import convex_menu, gonik, scoring_rule, weitzman
from spms_lib.incentives.truth.declared import incentive_from_dict
from spms_lib.incentives.truth.pay import budget_use, forecast_bonus

cents = st.integers(0, 10**12)
RATES = weitzman("0.7 %", "1 %", "1.3 %", base="0.5")


def said(**columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.assign(payee=[f"p{row}" for row in range(len(frame))], period="2026Q1")


@given(st.lists(st.tuples(cents, cents), min_size=1, max_size=8))
def test_every_bonus_is_the_exact_one_rounded_half_up(pairs: list[tuple[int, int]]) -> None:
    forecast, actual = (list(column) for column in zip(*pairs, strict=True))
    paid = forecast_bonus(RATES, said(forecast=forecast, actual=actual))
    for said_, came, bonus in zip(forecast, actual, paid["bonus"], strict=True):
        exact = Fraction(1, 2) + Fraction(said_, 100)
        exact += Fraction(7, 1000) * max(came - said_, 0) - Fraction(13, 1000) * max(said_ - came, 0)
        assert bonus == (exact + Fraction(1, 2)).__floor__()


def test_a_half_cent_goes_up_also_below_zero_and_where_floats_would_miss_it() -> None:
    paid = forecast_bonus(weitzman("0.1", "0.145", "0.2"), said(forecast=[100, 10], actual=[100, 10]))
    assert paid["bonus"].tolist() == [15, 1]  # 14.5 and 1.45; 0.145 x 100 is 14.499... in floats
    paid = forecast_bonus(weitzman("0.1", "0.5", "1.5"), said(forecast=[5], actual=[2]))
    assert paid["bonus"].tolist() == [-2]  # 2.5 - 4.5
    paid = forecast_bonus(weitzman("0.1", "0.5", "1"), said(forecast=[5], actual=[0]))
    assert paid["bonus"].tolist() == [-2]  # -2.5


@pytest.mark.parametrize(
    "incentive",
    [gonik(333_33, standard=100_00).with_limits(floor=50_00, cap=150_00), convex_menu(333_33, rate="0.7 %", spread="0.3 %").with_limits(floor=0, cap=400),
     RATES.with_limits(floor=0, cap=999), scoring_rule("distribution", amount=1000, rate="0.07")],
)  # fmt: skip
def test_pay_is_the_bonus_of_the_scheme_in_whole_cents(incentive: object) -> None:
    rng = np.random.default_rng(1)
    frame = said(forecast=rng.integers(0, 900_00, 300), actual=rng.integers(0, 900_00, 300)).assign(
        forecast_sd=50_00.0
    )
    reports = frame[["forecast", "forecast_sd"]] if len(incentive.elicits.parts) == 2 else frame["forecast"]
    paid = forecast_bonus(incentive, frame)["bonus"]
    gap = paid.to_numpy(dtype=float) - incentive.bonus(reports.to_numpy(), frame["actual"].to_numpy())
    assert (np.abs(gap) <= 0.5 + 1e-6).all()
    assert paid.dtype == "Int64"


def test_each_payee_is_measured_against_their_own_objective() -> None:
    plan = incentive_from_dict({"scheme": "gonik", "statistic": "median", "standard": 100_00})
    frame = said(forecast=[100, 50, 150], actual=[100, 100, 300], objective=[100, 100, 300])
    assert forecast_bonus(plan, frame)["bonus"].tolist() == [120_00, 90_00, 90_00]
    with pytest.raises(TableError, match=r"Columns \['objective'\] are missing"):
        forecast_bonus(plan, frame.drop(columns="objective"))
    with pytest.raises(TableError, match="objective is not above zero"):
        forecast_bonus(plan, frame.assign(objective=[100, 0, 300]))


def test_null_survives_with_a_reason_and_zero_is_a_forecast() -> None:
    frame = said(forecast=[None, 0, 100, None], actual=[100, 100, None, None])
    paid = forecast_bonus(weitzman(1, 2, 3), frame)
    assert paid["reason"].tolist() == ["no forecast", "", "no actual", "no forecast"]
    assert paid["bonus"].isna().tolist() == [True, False, True, True]
    assert paid["bonus"].iloc[1] == 100
    assert "bonus" not in frame  # the frame given stays as it was


def test_nobody_gives_nothing() -> None:
    assert forecast_bonus(RATES, said(forecast=[], actual=[])).empty


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"forecast": 1.5}, TableError, "'forecast' holds amounts that are not whole"),
        ({"payee": "ann"}, TableError, "'ann' stands twice in 2026Q1"),
        ({"forecast": 9 * 10**18, "actual": 9 * 10**18}, MoneyError, "64 bits"),
    ],
)
def test_what_cannot_be_paid_is_refused(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    frame = said(forecast=[100, 200], actual=[100, 200]).assign(**change)
    with pytest.raises(error, match=message):
        forecast_bonus(weitzman(1, 2, 3), frame)


def test_the_budget_is_reported_and_nothing_is_scaled() -> None:
    plan = incentive_from_dict(
        {"scheme": "weitzman", "statistic": "median", "beta": 1, "spread": 0.2, "budget_share": "10 %"}
    )
    frame = said(
        forecast=[100, 50, None, 30], actual=[100, 50, 70, 30], target_incentive=[1005, 500, None, 200]
    )
    paid = forecast_bonus(plan, frame.assign(period=["Q1", "Q1", "Q1", "Q2"]))
    use = budget_use(plan, paid)
    assert paid["bonus"].tolist() == [100, 50, pd.NA, 30]
    assert use.drop(columns="used_ratio").values.tolist() == [
        ["Q1", 3, 1, 150, 151, 0],
        ["Q2", 1, 0, 30, 20, 10],
    ]
    assert use["used_ratio"].tolist() == pytest.approx([150 / 151, 1.5])


def test_a_plan_without_a_budget_share_has_no_budget_to_use() -> None:
    paid = forecast_bonus(RATES, said(forecast=[1], actual=[1], target_incentive=[1]))
    with pytest.raises(PlanError, match="No budget_share"):
        budget_use(RATES, paid)
