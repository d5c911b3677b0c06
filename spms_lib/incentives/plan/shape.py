"""The exact shape of a curve: straight pieces, with a jump wherever one does not start where the last ended."""

from fractions import Fraction
from typing import NamedTuple

from spms_lib.incentives.plan.model import INTERPOLATED, LUMP, RETROACTIVE, Curve


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
    """Compute the pieces of a curve of tiers, its threshold included, in the curve's own units.

    Incremental and interpolated bands go on from what the band before paid at its end;
    retroactive and lump bands start at their own amount.

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
    made, paid = [], Fraction(0)
    for tier in curve.tiers:
        if tier.mode == RETROACTIVE:
            piece = Piece(tier.start, tier.end, tier.value * tier.start, tier.value)
        elif tier.mode == LUMP:
            piece = Piece(tier.start, tier.end, tier.value, Fraction(0))
        elif tier.mode == INTERPOLATED and tier.end is not None:
            piece = Piece(tier.start, tier.end, paid, tier.value / (tier.end - tier.start))
        else:
            piece = Piece(tier.start, tier.end, paid, tier.value)
        paid = piece.at(tier.end) if tier.end is not None else paid
        made.append(piece)
    return _from_threshold(tuple(made), curve.threshold)


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


def _from_threshold(line: tuple[Piece, ...], threshold: Fraction | None) -> tuple[Piece, ...]:
    if threshold is None:
        return line
    above = [
        one._replace(start=threshold, value=one.at(threshold)) if one.start < threshold else one
        for one in line
        if one.end is None or one.end > threshold
    ]
    return (Piece(min(line[0].start, Fraction(0)), threshold, Fraction(0), Fraction(0)), *above)
