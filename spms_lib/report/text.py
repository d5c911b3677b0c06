"""Sentences, warnings and headline numbers, as a report shows them and as plain text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

from spms_lib.errors import ParamsError
from spms_lib.report.tables import Printed
from spms_lib.text import visible

GOOD: Final = "good"
WATCH: Final = "watch"
BAD: Final = "bad"
NEUTRAL: Final = "neutral"
STATES: Final = {GOOD: "✓ on track", WATCH: "! watch", BAD: "✗ off track", NEUTRAL: ""}
KINDS: Final = {"note": "Note", "good": "Good news", "warning": "Warning", "decision": "Decision needed"}
_MARKDOWN_SAFE: Final = str.maketrans(
    {"$": r"\$"} | {sign: f"&#{ord(sign)};" for sign in "[]`\\#~"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_BARE_LINK: Final = re.compile(r"(?i):(?=//)|(?<=www)\.")  # a viewer would make a link of it on its own


@dataclass(frozen=True, slots=True)
class Metric:
    """One headline number.

    Attributes
    ----------
    label
        What it is, in two or three words.
    value
        Already formatted, as by `spms_lib.report.cells`.
    note
        The comparison or convention that gives it meaning; may be empty.
    state
        One of `STATES`; colour never says it alone.
    """

    label: str
    value: str
    note: str = ""
    state: str = NEUTRAL

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ParamsError(
                f"'{self.state}' is not a state of a metric.",
                where=self.label,
                remedy=f"Use one of {', '.join(STATES)}.",
            )


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences as a bulleted list.

    Attributes
    ----------
    sentences
        As written; `**bold**` is kept, everything else is shown literally.
    """

    sentences: tuple[str, ...]

    def _repr_markdown_(self) -> str:
        return "\n".join(f"- {_plain_markdown(sentence)}" for sentence in self.sentences)

    def __repr__(self) -> str:
        return "\n".join(f"- {sentence.replace('**', '')}" for sentence in self.sentences)


def _plain_markdown(sentence: str) -> str:
    return _BARE_LINK.sub(lambda sign: f"&#{ord(sign[0])};", sentence.translate(_MARKDOWN_SAFE))


def say(sentences: Sequence[str]) -> Said:
    """Put sentences under each other as bullets.

    Examples
    --------
    >>> say(["**North** is €1.2M ahead of plan.", "Two regions have not answered."])
    - North is €1.2M ahead of plan.
    - Two regions have not answered.
    """
    if isinstance(sentences, str):
        raise ParamsError("One sentence was given where a list is wanted.", remedy="Write say([sentence]).")
    flat = (" ".join(visible(sentence).split()) for sentence in sentences)
    return Said(tuple(sentence for sentence in flat if sentence))


def callout(kind: str, text: str) -> Printed:
    """Set one sentence apart: a note, good news, a warning, or a decision that is needed.

    Examples
    --------
    >>> callout("decision", "Release the reserve of €0.4M to the south?")
    Decision needed: Release the reserve of €0.4M to the south?
    """
    if kind not in KINDS:
        raise ParamsError(f"'{kind}' is not a kind of callout.", remedy=f"Use one of {', '.join(KINDS)}.")
    flat = " ".join(text.split())
    html = (
        f'<div class="spms-callout spms-{kind} tex2jax_ignore mathjax_ignore" role="note">'
        f"<strong>{KINDS[kind]}:</strong> {escape(flat)}</div>"
    )
    return Printed(html, f"{KINDS[kind]}: {flat}")


def headline(metrics: Sequence[Metric]) -> Printed:
    """Show the few numbers that matter as a row of tiles.

    Examples
    --------
    >>> headline([Metric("Attainment", "94.2%", "of quota to date", "watch"), Metric("Coverage", "2.1×")])
    Attainment  94.2%  of quota to date  ! watch
    Coverage    2.1×
    """
    wide = max((len(metric.label) for metric in metrics), default=0)
    high = max((len(metric.value) for metric in metrics), default=0)
    lines, tiles = [], []
    for metric in metrics:
        state = STATES[metric.state]
        parts = [metric.label.ljust(wide), metric.value.ljust(high), metric.note, state]
        lines.append("  ".join(part for part in parts if part).rstrip())
        note = f'<dd class="spms-small">{escape(metric.note)}</dd>' if metric.note else ""
        word = f'<dd class="spms-state">{escape(state)}</dd>' if state else ""
        tiles.append(
            f'<div class="spms-tile spms-{metric.state}"><dt>{escape(metric.label)}</dt>'
            f'<dd class="spms-value">{escape(metric.value)}</dd>{note}{word}</div>'
        )
    html = '<dl class="spms-tiles tex2jax_ignore mathjax_ignore">\n' + "\n".join(tiles) + "\n</dl>"
    return Printed(html, "\n".join(lines))


def use_style() -> Printed:
    """Give tables, tiles and callouts their looks inside JupyterLab; call it in the setup cell.

    A report page has the same rules already, so its setup cell is left out.
    """
    return Printed(
        f"<style>\n{stylesheet('parts.css')}</style>", "Tables and tiles use the style of the report."
    )


def stylesheet(*names: str) -> str:
    """Read style sheets of the report from `template/`."""
    folder = files("spms_lib.report").joinpath("template")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


@cache
def template(name: str) -> Any:
    """Read a page of the report from `template/`; every text put into it is escaped."""
    from jinja2 import ChainableUndefined, Environment

    environment = Environment(
        autoescape=True, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(stylesheet(name))
