"""Exchange: the rate of the day, exact to the cent, kept beside the amount, and never guessed."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import MoneyError
from spms_lib.incentives.payments.exchange import convert

RATES = pd.DataFrame(
    [("USD", "2026-01-01", "0.92"), ("USD", "2026-02-01", "0.87654321"), ("JPY", "2026-01-01", "0.006")],
    columns=["currency", "valid_from", "rate"],
).astype({"valid_from": "datetime64[ns]"})


def of(*rows: tuple[int, str, str | None]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["amount", "currency", "date"])
    return table.assign(date=pd.to_datetime(table["date"]))


def test_each_amount_takes_the_rate_of_its_day_and_keeps_it() -> None:
    table = of(
        (10000, "USD", "2026-01-31"),
        (10000, "USD", "2026-02-01"),
        (10000, "JPY", "2026-05-05"),
        (7, "EUR", None),
    )
    found = convert(table, RATES.sample(frac=1, random_state=3), on="date", to="EUR")
    assert found["converted"].tolist() == [9200, 8765, 6000, 7]  # a yen has no cents
    assert found["rate"].tolist() == ["0.92000000", "0.87654321", "0.00600000", "1.00000000"]
    assert found["rate_from"].dt.strftime("%m-%d").tolist()[:3] == ["01-01", "02-01", "01-01"]
    assert pd.isna(found["rate_from"].iloc[3])
    assert "converted" not in table


@settings(max_examples=30)
@given(
    amount=st.integers(-(10**14), 10**14),
    rate=st.integers(1, 10**11).map(lambda scaled: Decimal(scaled).scaleb(-8)),
    half=st.sampled_from(["half_up", "half_even"]),
)
def test_the_amount_is_rounded_once_whatever_its_size(amount: int, rate: Decimal, half: str) -> None:
    rates = RATES.iloc[:1].assign(rate=[rate])
    found = convert(of((amount, "USD", "2026-01-01")), rates, on="date", to="EUR", half=half)[
        "converted"
    ].item()
    exact = amount * Fraction(rate)
    assert found == (round(exact) if half == "half_even" else floor(exact + Fraction(1, 2)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, "USD", "2025-12-31"), "no rate of USD to EUR on 2025-12-31"),
        ((1, "GBP", "2026-03-01"), "no rate of GBP to EUR on 2026-03-01"),
        ((1, "USD", None), "no rate of USD to EUR on an unknown day"),
    ],
)
def test_a_rate_that_nobody_stated_is_refused_with_currency_and_day(row: tuple, message: str) -> None:
    with pytest.raises(MoneyError, match=message):
        convert(of((5, "EUR", "2026-03-01"), row), RATES, on="date", to="EUR")


@pytest.mark.parametrize("rate", ["0.123456789", "0", "-1", "high", "NaN", None])
def test_a_rate_that_is_none_is_refused(rate: str | None) -> None:
    with pytest.raises(MoneyError, match="of USD is not a positive number"):
        convert(of((1, "USD", "2026-01-01")), RATES.iloc[:1].assign(rate=[rate]), on="date", to="EUR")


def test_two_rates_from_the_same_day_are_refused() -> None:
    with pytest.raises(MoneyError, match="USD has two rates from 2026-01-01"):
        convert(of((1, "USD", "2026-01-01")), pd.concat([RATES, RATES]), on="date", to="EUR")
