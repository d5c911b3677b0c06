"""What each kind of award asks of one payee's measures: yes, no, or not known, and the numbers that say so."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

Look = Callable[[str, str], float | None]  # period and measure to value; None where nobody knows
Verdict = tuple[bool | None, str]
DIGITS: Final = 9  # differences are compared to so many digits, so that 1.2 - 1.0 is 0.2


def verdict(kind: str, asks: Mapping[str, Any], value: Look, periods: Sequence[str]) -> Verdict:
    """Judge one payee at the end of the last of `periods`, which start with the payee's first one.

    What is not known decides nothing by itself: a club that one known measure already misses
    is missed, whatever the others are. Only what could still be earned is not known.
    """
    return _KINDS[kind](asks, value, periods)


def change(asks: Mapping[str, Any], value: Look, periods: Sequence[str]) -> float:
    """How much a payee improved on the period before; both must be known."""
    now, before = (value(period, asks["measure"]) or 0.0 for period in (periods[-1], periods[-2]))
    return round(now - before, DIGITS)


def plain(number: float | None) -> str:
    """Write a number as it is, with as many digits as it has, up to six.

    Examples
    --------
    >>> plain(1.15), plain(52000000.0), plain(None)
    ('1.15', '52,000,000', 'not known')
    """
    if number is None:
        return "not known"
    return f"{number:,.6f}".rstrip("0").rstrip(".")


def _all(conditions: Iterable[bool | None]) -> bool | None:
    told = list(conditions)
    return False if False in told else None if None in told else True


def _reached(number: float | None, least: float) -> bool | None:
    return None if number is None else number >= least


def _club(asks: Mapping[str, Any], value: Look, periods: Sequence[str]) -> Verdict:
    seen = {measure: value(periods[-1], measure) for measure in asks["all"]}
    words = [f"{m} {plain(seen[m])} (at least {plain(least)})" for m, least in asks["all"].items()]
    return _all(_reached(seen[m], least) for m, least in asks["all"].items()), ", ".join(words)


def _streak(asks: Mapping[str, Any], value: Look, periods: Sequence[str]) -> Verdict:
    last = periods[-int(asks["periods"]) :]
    seen = [value(period, asks["measure"]) for period in last]
    long = None if len(last) == asks["periods"] else False
    met = _all(_reached(number, asks["at_least"]) for number in seen)
    numbers = ", ".join(f"{plain(number)} in {period}" for number, period in zip(seen, last, strict=True))
    least = f"at least {plain(asks['at_least'])} in {len(last)} periods in a row"
    return met if long is None else long, f"{asks['measure']} {numbers} ({least})"


def _first(asks: Mapping[str, Any], value: Look, periods: Sequence[str]) -> Verdict:
    *earlier, now = (_reached(value(period, asks["measure"]), asks["at_least"]) for period in periods)
    new = _all(None if met is None else not met for met in earlier)
    gaps = [period for period, met in zip(periods[:-1], earlier, strict=True) if met is None]
    unknown = f"; not known in {', '.join(gaps)}" if gaps else ""
    seen = (
        f"{asks['measure']} {plain(value(periods[-1], asks['measure']))} (at least {plain(asks['at_least'])})"
    )
    return _all([now, new]), f"{seen}, for the first time since {periods[0]}{unknown}"


def _improved(asks: Mapping[str, Any], value: Look, periods: Sequence[str]) -> Verdict:
    if len(periods) < 2:
        return False, "no period before"
    before, now = (value(period, asks["measure"]) for period in periods[-2:])
    conditions = [_reached(before, asks["least_base"]), None if now is None else True]
    if before is not None and now is not None:
        conditions.append(change(asks, value, periods) >= asks["at_least"])
    words = (
        f"{asks['measure']} from {plain(before)} to {plain(now)} (at least {plain(asks['at_least'])} more)"
    )
    if asks["ties"] == "second":
        second = value(periods[-1], asks["second"])
        conditions.append(None if second is None else True)
        words += f", {asks['second']} {plain(second)} decides ties"
    return _all(conditions), words


def _calibration(asks: Mapping[str, Any], value: Look, periods: Sequence[str]) -> Verdict:
    last = periods[-int(asks["periods"]) :]
    if len(last) < asks["periods"]:
        return False, "too few periods"
    errors = [_error(value(p, asks["forecast"]), value(p, asks["actual"])) for p in last]
    conditions = [None if error is None else error <= asks["within"] for error in errors]
    numbers = ", ".join(f"{plain(error)} in {period}" for error, period in zip(errors, last, strict=True))
    words = f"error of {asks['forecast']} {numbers} (at most {plain(asks['within'])})"
    if "low" in asks:
        inside = [_inside(*(value(p, asks[name]) for name in ("low", "actual", "high"))) for p in last]
        sure, may = inside.count(True), len(last) - inside.count(False)
        needed = asks["coverage_at_least"] * len(last) - 1e-9
        conditions.append(True if sure >= needed else False if may < needed else None)
        words += f"; {sure} of {len(last)} actuals known inside the range (at least {plain(asks['coverage_at_least'])})"
    return _all(conditions), words


def _error(forecast: float | None, actual: float | None) -> float | None:
    if forecast is None or actual is None:
        return None
    if actual == 0:
        return 0.0 if forecast == 0 else float("inf")
    return round(abs(forecast - actual) / abs(actual), DIGITS)


def _inside(low: float | None, actual: float | None, high: float | None) -> bool | None:
    return None if low is None or actual is None or high is None else low <= actual <= high


_KINDS: Final[dict[str, Callable[[Mapping[str, Any], Look, Sequence[str]], Verdict]]] = {
    "club": _club,
    "streak": _streak,
    "first": _first,
    "most_improved": _improved,
    "calibration": _calibration,
}
