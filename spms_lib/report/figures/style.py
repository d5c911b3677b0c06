"""How figures look: colours by meaning, and settings that last for one drawing.

Nothing is set on import. Every figure draws inside `style()`, which puts the
settings back when it leaves. Colours are those of Okabe and Ito (2008), which
people with any common colour blindness can tell apart; shapes differ as well.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

import matplotlib as mpl

from spms_lib.errors import ParamsError, TableError
from spms_lib.report.cells import label_of, refuse_unknown

WIDTH: Final = 9.0  # inches: 900 px on screen
SCREEN_DPI: Final = 100
PRINT_DPI: Final = 200  # twice the screen, for sharp screens and paper
INK: Final = "#1A1A1A"
SOFT: Final = "#5A5A5A"
RULE: Final = "#D9D9D9"


Dash = Literal["-", "--", "-.", ":"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a colour and a shape stand for, the same in every figure.

    Attributes
    ----------
    label
        The word printed beside it.
    colour
        Fill of points and bars, stroke of lines.
    ink
        The same hue, dark enough for words on white (4.5 to 1 and more).
    marker
        Shape of a point, so that the colour is never the only sign.
    line
        Dash pattern of a line.
    """

    label: str
    colour: str
    ink: str
    marker: str
    line: Dash


MEANINGS: Final = {
    "target": Meaning("Target", "#0072B2", "#0072B2", "D", "-"),
    "field": Meaning("Field", "#E69F00", "#8A5F00", "o", "-"),
    "baseline": Meaning("Baseline", "#767676", "#5F5F5F", "v", ":"),
    "last_year": Meaning("Last year", "#A9B4BC", "#5C6B75", "<", ":"),
    "quota": Meaning("Quota", "#4B3F8F", "#4B3F8F", ">", "-"),
    "plan": Meaning("Plan", "#CC79A7", "#9C4477", "s", "--"),
    "actual": Meaning("Actual", INK, INK, "P", "-"),
    "projected": Meaning("Projected", "#56B4E9", "#1B6E9C", "h", ":"),
    "good": Meaning("Good", "#009E73", "#00704F", "^", "-"),
    "bad": Meaning("Bad", "#D55E00", "#A84900", "X", "-"),
}


_OTHERS: Final[tuple[tuple[str, str, str, Dash], ...]] = (
    ("#56B4E9", "#1B6E9C", "o", "-"),
    ("#767676", "#5F5F5F", "s", "--"),
    (INK, INK, "^", "-."),
    ("#B8860B", "#7D5B00", "D", ":"),
    ("#5B4A9E", "#5B4A9E", "v", "-"),
    ("#8C5A3C", "#8C5A3C", "P", "--"),
)


_SETTINGS: Final[dict[str, object]] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": INK,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 10,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "hatch.linewidth": 0.6,
    "text.parse_math": False,  # a dollar sign is money
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style inside a `with`, and put the settings back after it.

    Examples
    --------
    >>> before = mpl.rcParams["font.size"]
    >>> with style():
    ...     inside = mpl.rcParams["font.size"]
    >>> inside, mpl.rcParams["font.size"] == before
    (10.5, True)
    """
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        yield


def meaning(name: str) -> Meaning:
    """Look up what a colour stands for, or refuse the name with the nearest known one."""
    if name not in MEANINGS:
        try:
            refuse_unknown([name], MEANINGS, "meaning")
        except TableError as refusal:
            raise ParamsError(refusal.what, remedy=refusal.remedy) from None
    return MEANINGS[name]


def series_meanings(names: Sequence[object], meanings: dict[str, str] | None = None) -> list[Meaning]:
    """Give each series its meaning where its name has one, else a look of its own.

    Examples
    --------
    >>> [found.colour for found in series_meanings(["actual", "north"])]
    ['#1A1A1A', '#56B4E9']
    """
    found, spare = [], 0
    for name in names:
        key = (meanings or {}).get(str(name), str(name))
        if key in MEANINGS:
            known = MEANINGS[key]
            found.append(Meaning(label_of(name), known.colour, known.ink, known.marker, known.line))
        elif meanings and str(name) in meanings:
            meaning(key)
        else:
            colour, ink, marker, line = _OTHERS[spare % len(_OTHERS)]
            found.append(Meaning(label_of(name), colour, ink, marker, line))
            spare += 1
    return found
