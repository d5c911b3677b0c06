import re

import pytest

from spms_lib.errors import ParamsError
from spms_lib.report.text import Metric, callout, headline, say, stylesheet, use_style


def test_sentences_become_bullets_and_keep_their_emphasis():
    said = say(["**North** is ahead.", " Two lines\nbecome one. ", ""])
    assert said._repr_markdown_() == "- **North** is ahead.\n- Two lines become one."
    assert repr(said) == "- North is ahead.\n- Two lines become one."


def test_names_from_the_data_cannot_become_markup_links_or_formulas():
    markdown = say(["<img src=x> [x](javascript:1) a $5M and a $3M deal"])._repr_markdown_()
    assert not re.search(r"[<\[\]]|(?<!\\)\$", markdown)


def test_a_lone_sentence_is_refused_as_it_would_be_spelled_out():
    with pytest.raises(ParamsError, match=r"say\(\[sentence\]\)"):
        say("One sentence.")


def test_a_tile_says_its_state_in_words():
    tiles = headline([Metric("Sold <so> far", "€2.9M", "€0.4M behind plan", "bad")])
    assert "✗ off track" in tiles.html
    assert "Sold &lt;so&gt; far" in tiles.html
    assert repr(tiles) == "Sold <so> far  €2.9M  €0.4M behind plan  ✗ off track"


def test_unknown_states_and_kinds_are_refused():
    with pytest.raises(ParamsError, match="'great' is not a state"):
        Metric("a", "b", state="great")
    with pytest.raises(ParamsError, match="'alarm' is not a kind"):
        callout("alarm", "text")


def test_a_callout_names_its_kind_and_escapes_its_text():
    assert "<strong>Decision needed:</strong> lower &lt;1%" in callout("decision", "lower <1%").html


def test_the_notebook_gets_the_rules_of_the_report():
    assert stylesheet("parts.css") in use_style().html


def test_all_css_of_a_page_is_small_and_fetches_nothing():
    css = stylesheet("parts.css", "page.css")
    assert len(css.encode()) < 10_000
    assert "url(" not in css
    assert "@import" not in css


def _luminance(colour):
    short = colour.lstrip("#")
    full = "".join(c * 2 for c in short) if len(short) == 3 else short
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted([_luminance(one), _luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_text_colour_of_a_page_can_be_read_on_every_background():
    css = stylesheet("parts.css", "page.css")
    texts = set(re.findall(r"[;{]color:(#[0-9a-f]{3,6})", css))
    backgrounds = set(re.findall(r"[;{]background:(#[0-9a-f]{3,6})", css))
    assert texts
    assert backgrounds
    assert min(contrast(text, ground) for text in texts for ground in backgrounds) >= 4.5
