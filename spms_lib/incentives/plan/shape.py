"""The exact shape of a curve: straight pieces, with a jump wherever one does not start where the last ended."""

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from spms_lib.incentives.engine.curve import compile_curve
from spms_lib.incentives.plan.model import Curve


class Piece(NamedTuple):
    """A straight part of a curve: where it starts and ends (None: open), pay at its start, pay for each further unit."""

    start: Fraction
    end: Fraction | None
    value: Fraction
    slope: Fraction

    def at(self, performance: Fraction) -> Fraction:
        """Say what this line pays at a performance."""
        return self.value + self.slope * (performance - self.start)


def pieces(curve: Curve) -> tuple[Piece, ...]:
    """Compute the pieces from 0 on of a curve of tiers, its threshold included, in the curve's own units.

    Examples
    --------
    >>> from spms_lib.incentives.plan.model import Tier
    >>> to_dollar_one = Curve("attainment", "rate", "upper", (
    ...     Tier(Fraction(0), Fraction(1), Fraction(1, 10), "retroactive"),
    ...     Tier(Fraction(1), None, Fraction(1, 5), "retroactive"),
    ... ))
    >>> [(str(one.start), str(one.value), str(one.slope)) for one in pieces(to_dollar_one)]
    [('0', '0', '1/10'), ('1', '1/5', '1/5')]
    """
    bands = compile_curve(curve).bands
    starts = [band.start or Fraction(0) for band in bands]
    return tuple(
        Piece(start, end, band.value, band.slope)
        for band, (start, end) in zip(bands, pairwise([*starts, None]), strict=True)
        if start is not None and (end is None or end > start)
    )


def capped(line: tuple[Piece, ...], most: Fraction | None) -> tuple[Piece, ...]:
    """Cut pieces off at the most that is paid; the point where the cap bites becomes an edge."""
    if most is None:
        return line
    made: list[Piece] = []
    for piece in line:
        if piece.value >= most:
            made.append(piece._replace(value=most, slope=Fraction(0)))
            continue
        made.append(piece)
        reach = piece.start + (most - piece.value) / piece.slope if piece.slope > 0 else None
        if reach is not None and (piece.end is None or reach < piece.end):
            made[-1] = piece._replace(end=reach)
            made.append(Piece(reach, piece.end, most, Fraction(0)))
    return tuple(made)


def paid_at(line: tuple[Piece, ...], performance: Fraction, *, lower: bool = False) -> Fraction:
    """Say what is paid at a performance; exactly on an edge the upper piece holds, unless `lower`."""
    reached = [one for one in line if one.start < performance or (one.start == performance and not lower)]
    return (reached[-1] if reached else line[0]).at(performance)
