"""What people and programs write in cells, and what a planner meant by it."""

from decimal import ROUND_HALF_EVEN, Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.sources import coerce, numerals
from spms_lib.sources.coerce import to_choice, to_money, to_number, to_period, to_ratio, to_text


def money(text: str, per_unit: int = 100, decimal: str = ".") -> tuple[int | None, str | None]:
    values, reasons = to_money(pd.Series([text], dtype="str"), per_unit, decimal)
    value, reason = values.iloc[0], reasons.iloc[0]
    return None if pd.isna(value) else int(value), None if pd.isna(reason) else reason


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0.29", 29),  # 0.29 x 100 is 28.999... in floats
        ("1.15", 115),
        ("1234567890123.45", 123456789012345),
        ("90071992547409.93", 9007199254740993),  # more than a float can tell apart
        ("-92233720368547758.07", -(2**63 - 1)),
        ("$1,200", 120000),
        ("(1,234.50)", -123450),
        ("($1,234.50)", -123450),
        ("1,234-", -123400),
        ("-$5", -500),
        ("$-5", -500),
        ("\u22125", -500),  # a typographic minus
        ("1'234.50", 123450),
        ("1\u2019234.50", 123450),
        ("1\u00a0234.50", 123450),
        ("1\u202f234.50", 123450),
        ("1 234 567", 123456700),
        ("12,34,567.5", 123456750),  # lakh
        ("1.2e3", 120000),
        ("1.2E+3", 120000),
        ("USD 12", 1200),
        ("12 EUR", 1200),
        ("12€", 1200),
        ("  7 ", 700),
        ("+7", 700),
        (".5", 50),
        ("12.", 1200),
        ("1234.5000", 123450),  # databases pad with zeros: nothing is lost
        ("000000000000000012.34", 1234),
    ],
)
def test_amounts_of_real_exports_are_read_to_the_cent(text: str, cents: int) -> None:
    assert money(text) == (cents, None)


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1.200,50 €", 120050), ("1.200", 120000), ("1 200,5", 120050), ("0,29", 29), ("-3,5", -350)],
)
def test_a_decimal_comma_is_read_where_the_params_say_so(text: str, cents: int) -> None:
    assert money(text, decimal=",") == (cents, None)


@pytest.mark.parametrize("text", ["", " ", "-", "–", "—", "n/a", "N/A", "NULL", "NaN", "#N/A", "None", "\\N"])
def test_a_dash_or_null_is_missing_and_not_zero(text: str) -> None:
    assert money(text) == (None, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12 k", numerals.ABBREVIATED),
        ("12k", numerals.ABBREVIATED),
        ("€1.2M", numerals.ABBREVIATED),
        ("tbd", numerals.NOT_A_NUMBER),
        ("1,2,3", numerals.NOT_A_NUMBER),
        ("12,34", numerals.OTHER_MARK),  # neither 12.34 nor 1234 may be guessed
        ("1.200,50", numerals.OTHER_MARK),
        ("--5", numerals.NOT_A_NUMBER),
        ("-(5)", numerals.NOT_A_NUMBER),
        ("(5", numerals.NOT_A_NUMBER),
        ("USD 12 EUR", numerals.NOT_A_NUMBER),
        ("5%", coerce.PERCENTAGE),
        ("#DIV/0!", numerals.NOT_A_NUMBER),
        ("inf", numerals.NOT_A_NUMBER),
        ("1e300", coerce.TOO_LARGE),
        ("92233720368547758.08", coerce.TOO_LARGE),  # one cent more than a whole number of 64 bits holds
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(text: str, reason: str) -> None:
    assert money(text) == (None, reason)
    assert coerce.REMEDIES[reason]


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1.005", 100), ("1.015", 102), ("-1.005", -100), ("34.199999999", 3420), ("0.30000000000000004", 30)],
)
def test_more_decimals_than_cents_are_rounded_half_to_even_and_noted(text: str, cents: int) -> None:
    assert money(text) == (cents, coerce.ROUNDED)


def test_yen_have_no_decimals_and_dinars_have_three() -> None:
    assert money("1200", 1) == (1200, None)
    assert money("1200.00", 1) == (1200, None)
    assert money("1200.5", 1) == (1200, coerce.ROUNDED)
    assert money("1.234", 1000) == (1234, None)
    assert money("2.5", 5) == (12, coerce.ROUNDED)  # ouguiya: five minor units in one


def test_amounts_in_a_second_currency_are_not_added_to_the_first() -> None:
    values, reasons = to_money(pd.Series(["USD 5", "$6", "7", "€8"]), 100)
    assert values.tolist() == [500, 600, 700, pd.NA]
    assert reasons.dropna().to_dict() == {3: coerce.OTHER_CURRENCY}


def test_an_argument_is_never_changed() -> None:
    text = pd.Series(["$1", "x", None], index=[5, 3, 3])
    before = text.copy()
    values, reasons = to_money(text, 100)
    pd.testing.assert_series_equal(text, before)
    assert list(values.index) == list(reasons.index) == [5, 3, 3]


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(["plain", "grouped", "european", "accounting"]))
def test_every_amount_survives_being_written_and_read(cents: int, style: str) -> None:
    sign, size = ("-" if cents < 0 else ""), abs(cents)
    text = f"{sign}{size // 100}.{size % 100:02d}"
    if style == "grouped":
        text = f"{sign}{size // 100:,}.{size % 100:02d}"
    elif style == "european":
        text = f"{sign}{size // 100:,}".replace(",", ".") + f",{size % 100:02d} €"
    elif style == "accounting" and sign:
        text = f"({size // 100:,}.{size % 100:02d})"
    assert money(text, decimal="," if style == "european" else ".") == (cents, None)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6))
def test_reading_agrees_with_decimal_arithmetic(amount: Decimal) -> None:
    expected = int((amount * 100).to_integral_value(ROUND_HALF_EVEN))
    assert money(format(amount, "f"))[0] == expected


@given(st.text(max_size=12))
def test_no_text_breaks_the_reader_and_none_vanishes(text: str) -> None:
    value, reason = money(text)
    assert (
        value is not None or reason is not None or numerals.is_missing(pd.Series([text], dtype="str")).item()
    )


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("12.5%", 0.125), ("12.5 %", 0.125), ("30%", 0.3), ("0.3", 0.3), ("1", 1.0), ("0", 0.0)],
)
def test_thirty_percent_and_0_3_are_the_same_share(text: str, ratio: float) -> None:
    values, reasons = to_ratio(pd.Series([text]))
    assert values.item() == ratio
    assert reasons.isna().all()


@pytest.mark.parametrize(
    ("text", "reason"), [("30", coerce.ABOVE_ONE), ("130%", coerce.ABOVE_ONE), ("-0.1", coerce.BELOW_ZERO)]
)
def test_a_share_outside_of_0_to_1_is_refused(text: str, reason: str) -> None:
    values, reasons = to_ratio(pd.Series([text]))
    assert values.isna().all()
    assert reasons.item() == reason


def test_the_remedy_for_a_bare_30_says_how_to_write_it() -> None:
    assert coerce.REMEDIES[coerce.ABOVE_ONE] == "Write 30% or 0.3."


def test_numbers_keep_their_fractions_and_refuse_words() -> None:
    values, reasons = to_number(pd.Series(["1,234.5", "0.1", "-", "many", "1e999"]))
    assert values.iloc[:2].tolist() == [1234.5, 0.1]
    assert values.iloc[2:].isna().all()
    assert reasons.dropna().to_dict() == {3: numerals.NOT_A_NUMBER, 4: coerce.TOO_LARGE}


def test_periods_come_back_in_one_form() -> None:
    values, reasons = to_period(pd.Series(["2026-11", "202611", "FY26 Q4", "-", "soon"]), FiscalCalendar())
    assert values.iloc[:3].tolist() == ["2026-11", "2026-11", "2026Q4"]
    assert reasons.dropna().to_dict() == {4: coerce.NOT_A_PERIOD}


def test_known_words_are_known_in_any_dress() -> None:
    words = pd.Series(["Best Case", "BEST-CASE", "best_case", "BestCase", "upside", "-"])
    values, reasons = to_choice(words, ["best_case", "commit"])
    assert values.iloc[:4].tolist() == ["best_case"] * 4
    assert reasons.dropna().to_dict() == {4: coerce.UNKNOWN_WORD}


def test_text_loses_outer_spaces_and_null_but_keeps_na_and_dashes() -> None:
    values, _ = to_text(pd.Series([" north\u00a0", "NULL", "NA", "-", ""]))
    assert values.fillna("missing").tolist() == [
        "north",
        "missing",
        "NA",
        "-",
        "missing",
    ]  # NA: North America
