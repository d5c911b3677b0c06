"""Text from outside never runs in a spreadsheet, and never breaks a line of a message."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spms_lib.text import inert, inert_column, shown

RUNS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\rx", "\nx", "  =1", " =1", "＝1+1", "=", "-", "\ufeff=1", "+cmd|' /C calc'!A0", "-2+3", "\x00=1"]  # fmt: skip
HARMLESS = ["", "Anna", "'=1", "a=b", "-12.50", "+3", "-5%", "1e-3", "-1,234.50", "é", "a\tb"]


@pytest.mark.parametrize("text", RUNS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert inert(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_and_plain_numbers_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


@given(st.text())
def test_no_text_begins_with_a_sign_that_runs_and_twice_is_once(text: str) -> None:
    safe = inert(text)
    assert inert(safe) == safe
    assert safe.removeprefix("'") == text.removeprefix("'")
    first = safe.strip()[:1]
    assert first not in {"=", "@"}
    if first in {"+", "-"}:
        assert re.fullmatch(r"[0-9.,eE+%\s-]+", safe.strip())


@pytest.mark.parametrize("dtype", ["str", "object"])
def test_a_column_is_made_harmless_like_its_cells(dtype: str) -> None:
    column = pd.Series([*RUNS, *HARMLESS, None], dtype=dtype)
    safe = inert_column(column)
    assert safe[:-1].tolist() == [inert(text) for text in column[:-1]]
    assert pd.isna(safe.iloc[-1])
    assert column.iloc[0] == "=1+1"


def test_numbers_among_texts_and_columns_of_numbers_stay_as_they_are() -> None:
    assert inert_column(pd.Series(["=1", -5, None], dtype="object")).tolist()[:2] == ["'=1", -5]
    pd.testing.assert_series_equal(inert_column(pd.Series([-1.5])), pd.Series([-1.5]))
    assert inert_column(pd.Series([], dtype="str")).empty


def test_a_file_name_cannot_break_a_line_colour_a_terminal_or_fill_a_page() -> None:
    assert shown("a\nb\x1b[31mc\u202etxt\ud800") == "a?b?[31mc?txt?"
    assert len(shown("x" * 5000)) == 80
