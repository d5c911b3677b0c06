import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import TableError
from spms_lib.report.cells import MINUS, money_text, number_text, ratio_text, value_text
from spms_lib.report.tables import MARK, show

FRAME = pd.DataFrame(
    {
        "node": ["north", "south", "west"],
        "quota": pd.array([1_234_567_89, None, -50], dtype="Int64"),
        "gap": [100.0, -250_000.0, np.nan],
        "attainment": [0.942, np.nan, 1.5],
        "signed_off": [True, False, None],
        "due": pd.to_datetime(["2026-11-03 00:00", None, "2026-11-04 13:30"]),
        "payees": [1200, 3, 4],
    }
)


def printed(**options):
    return show(
        FRAME, title="Quotas", money=["quota", "gap"], ratios=["attainment"], signed=["gap"], **options
    )


class Cells(HTMLParser):
    """Texts of the body cells, row by row, as a browser would read them."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.open, self.tags = [], False, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        self.open = tag in ("td", "th")
        if self.open:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.open = self.open and tag not in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def test_every_kind_of_value_reads_as_people_write_it():
    assert Cells(printed().html).rows[1:] == [
        ["north", "€1,234,567.89", "+€1.00", "94.2%", "✓ yes", "2026-11-03", "1,200"],
        ["south", "–", f"{MINUS}€2,500.00", "–", "✗ no", "–", "3"],
        ["west", f"{MINUS}€0.50", "–", "150.0%", "–", "2026-11-04 13:30", "4"],
    ]


def test_the_text_says_the_same_as_the_html():
    words = [re.split(r"\s{2,}", line) for line in repr(printed()).splitlines()]
    assert words[3:] == Cells(printed().html).rows[1:]


def test_missing_is_never_spelled_as_a_program_does():
    for missing in (None, np.nan, pd.NA, pd.NaT, float("nan")):
        text = show(pd.DataFrame({"a": ["x"], "b": pd.Series([missing], dtype=object)}), title="t")
        assert repr(text).splitlines()[-1].split() == ["x", "–"]
        assert not re.search(r"nan|None|NaT|<NA>", text.html + repr(text))


def test_zero_is_not_missing():
    assert (money_text(0, "EUR"), ratio_text(0.0), number_text(0)) == ("€0.00", "0.0%", "0")


def test_nothing_is_minus_zero_and_zero_has_no_sign():
    assert ratio_text(-0.0001, signed=True) == "0.0%"
    assert money_text(-0.1, "EUR", cents=False, signed=True) == "€0"


@pytest.mark.parametrize(("currency", "text"), [("JPY", "¥1,234"), ("KWD", "KWD1.234"), ("USD", "$12.34")])
def test_each_currency_has_its_own_minor_units(currency, text):
    assert money_text(1234, currency).replace("\N{NO-BREAK SPACE}", "") == text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_no_text_of_a_cell_becomes_markup(text):
    html = show(pd.DataFrame({"name": [text], "other": [text]}), title=text, note=text).html
    allowed = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    assert {tag for tag, _ in Cells(html).tags} <= allowed
    assert {name for _, attrs in Cells(html).tags for name in attrs} <= {
        "class", "role", "aria-label", "tabindex", "scope",
    }  # fmt: skip


def test_the_table_can_be_spoken():
    tags = Cells(printed().html).tags
    assert ("caption", {}) in tags
    scopes = [attrs["scope"] for tag, attrs in tags if tag == "th"]
    assert scopes == ["col"] * 7 + ["row"] * 3


def test_numbers_stand_to_the_right_and_no_colour_is_written_inline():
    html = printed().html
    assert html.count('scope="col" class="num"') == 4
    assert "style=" not in html
    lines = repr(printed()).splitlines()
    end = lines[1].index("Quota") + len("Quota")
    assert [line[:end].split()[-1] for line in lines[3:]] == ["€1,234,567.89", "–", f"{MINUS}€0.50"]


def test_a_limit_says_how_many_rows_there_are():
    assert repr(printed(limit=2)).splitlines()[-1] == "2 of 3 rows."
    assert len(Cells(printed(limit=2).html).rows) == 3
    assert "of 3 rows" not in repr(printed(limit=3))


def test_highlighted_rows_are_marked_in_html_and_text():
    marked = printed(highlight=FRAME["attainment"] > 1)
    assert marked.html.count('<tr class="marked">') == 1
    assert [line.startswith(MARK) for line in repr(marked).splitlines()[3:]] == [False, False, True]


def test_a_named_index_is_printed_and_a_plain_count_is_not():
    by_node = FRAME.set_index("node")[["payees"]]
    assert repr(show(by_node, title="t")).splitlines()[1].split() == ["Node", "Payees"]
    assert repr(show(FRAME[["payees"]].iloc[[2, 0]], title="t")).splitlines()[1].split() == ["Payees"]


def test_labels_replace_headings():
    assert "Signed off?" in printed(labels={"signed_off": "Signed off?"}).html


def test_a_misspelt_column_is_refused_with_the_nearest_one():
    with pytest.raises(TableError, match=r"no column 'quotas'\. Did you mean 'quota'"):
        show(FRAME, title="t", money=["quotas"])


def test_a_highlight_of_another_length_is_refused():
    with pytest.raises(TableError, match="2 values for 3 rows"):
        printed(highlight=pd.Series([True, False]))


def test_an_empty_frame_says_so():
    empty = show(FRAME.head(0), title="Quotas", money=["quota"])
    assert "No rows." in empty.html
    assert "No rows." in repr(empty)


def test_the_same_frame_prints_the_same_bytes_and_is_left_alone():
    before = FRAME.copy(deep=True)
    assert printed().html == printed().html
    pd.testing.assert_frame_equal(FRAME, before)


def test_lists_and_large_single_values_are_readable():
    assert value_text(["a", None, 1234567]) == "a, –, 1,234,567"
    assert value_text({"growth": 0.08}) == "growth: 0.08"
    assert value_text(float("inf")) == "∞"
