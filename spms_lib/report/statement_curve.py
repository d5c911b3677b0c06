"""Where a payee stands on the payout curve, as a small drawing inside the page."""

from typing import Final

import pandas as pd
from markupsafe import Markup, escape

WIDTH, HEIGHT = 480, 190
LEFT, RIGHT, TOP, BOTTOM = 8, 12, 30, 26
LETTER: Final = 7.5  # width of a letter of the words under the drawing
_LINE: Final = "#1A1A1A"
_AREA: Final = "#56B4E9"
_HERE: Final = "#0072B2"


def curve_picture(
    points: pd.DataFrame, *, at: float, pay: float, here: str, ticks: list[tuple[float, str]], label: str
) -> Markup:
    """Draw pay along performance, and a mark where the payee stands.

    Parameters
    ----------
    points
        Columns at and pay: corners and jumps of the curve in order.
    here
        Words beside the mark.
    ticks
        Places under the drawing, and their words; those that would overlap are left out.
    label
        What the drawing says, for those who do not see it.
    """
    across, up = float(points["at"].max()), max(float(points["pay"].max()), pay, 1.0)

    def x(value: float) -> float:
        return round(LEFT + max(value, 0) / across * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - max(value, 0) / up * (HEIGHT - TOP - BOTTOM), 1)

    line = " ".join(f"{x(one)},{y(paid)}" for one, paid in zip(points["at"], points["pay"], strict=True))
    floor = HEIGHT - BOTTOM
    parts = [
        f'<polygon points="{x(0)},{floor} {line} {x(across)},{floor}" fill="{_AREA}" opacity=".18"/>',
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}" stroke="#767676"/>',
        f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="2"/>',
    ]
    last, room = -1000.0, 0.0
    for value, words in sorted(ticks):
        if x(value) - last > room + LETTER * len(words) / 2:
            last, room = x(value), LETTER * len(words) / 2 + LETTER
            anchor = "start" if last < 30 else "end" if last > WIDTH - 40 else "middle"
            parts.append(f'<line x1="{last}" x2="{last}" y1="{floor}" y2="{floor + 4}" stroke="#767676"/>')
            parts.append(f'<text x="{last}" y="{floor + 18}" text-anchor="{anchor}">{escape(words)}</text>')
    side = "end" if x(at) > WIDTH / 2 else "start"
    shift = -9 if side == "end" else 9
    parts += [
        f'<line x1="{x(at)}" x2="{x(at)}" y1="{y(pay)}" y2="{floor}" stroke="{_HERE}" stroke-dasharray="3 3"/>',
        f'<circle cx="{x(at)}" cy="{y(pay)}" r="6" fill="{_HERE}"/>',
        f'<text x="{x(at) + shift}" y="{max(y(pay) - 8, 14)}" text-anchor="{side}" class="here">{escape(here)}</text>',
    ]
    body = "\n".join(parts)
    return Markup(  # noqa: S704 numbers, and texts that were escaped
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">\n{body}\n</svg>'
    )
