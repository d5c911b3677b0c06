"""Feasibility: the chance that each target is reached, and which targets are out of reach or too easy."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from spms_lib.errors import ParamsError, TableError
from spms_lib.tables import NODE, need

Floats = NDArray[np.float64]
Degrees = float | pd.Series | None

BEYOND, STRETCH, FAIR, EASY = "beyond reach", "stretch", "fair", "too easy"
UNKNOWN: Final = "nobody can tell"
CLASSES: Final = (BEYOND, STRETCH, FAIR, EASY, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Reach:
    """From which chance on a target counts as a stretch, as fair, and as too easy.

    Attributes
    ----------
    stretch, fair, easy
        Chances, rising: below `stretch` a target is beyond reach, below `fair` a stretch, above `easy` too easy.
    """

    stretch: float = 0.1
    fair: float = 0.35
    easy: float = 0.85

    def __post_init__(self) -> None:
        if not 0 < self.stretch < self.fair < self.easy < 1:
            raise ParamsError(
                f"The limits {self.stretch:g}, {self.fair:g} and {self.easy:g} do not rise between 0 and 1.",
                where="classes of feasibility",
                remedy="Give three chances in rising order, such as 0.1, 0.35 and 0.85.",
            )

    @property
    def convention(self) -> str:
        """The limits in words, to print beside the classes."""
        return (
            f"{BEYOND.capitalize()}: chance below {self.stretch:.0%}; {STRETCH}: below {self.fair:.0%}; "
            f"{FAIR}: up to {self.easy:.0%}; {EASY}: above {self.easy:.0%}."
        )


def chance_of_attaining(
    target: pd.Series, expected: pd.Series, spread: pd.Series, *, degrees: Degrees = None
) -> pd.Series:
    """Compute the chance that sales reach each target.

    Sales are taken as the expected value plus an error of the given spread: a normal one, or, where the spread was
    learnt from few past errors, Student's t with so many degrees of freedom, which allows for larger surprises.

    Parameters
    ----------
    target, expected, spread
        Indexed alike (nodes, or nodes and periods), minor units. A spread is that of the same period as the target:
        months of one node err together, so the spread of a quarter is not the root of the sum of squares.
    degrees
        Past errors from which the spread was learnt, one number or one per node; None (or missing) for the normal
        distribution.

    Returns
    -------
    pd.Series
        Ratios; missing where one of the three is. Without any spread, 1 where expected reaches the target, else 0.

    Raises
    ------
    TableError
        If a spread is negative.

    Examples
    --------
    >>> one = pd.Series([100.0, 120.0, 120.0], index=["a", "b", "c"])
    >>> chance_of_attaining(one, pd.Series([100.0, 100.0, None], index=one.index), one * 0.2).round(2).to_dict()
    {'a': 0.5, 'b': 0.2, 'c': nan}
    """
    frame = pd.DataFrame({"target": target, "expected": expected, "spread": spread}).reindex(target.index)
    frame = frame.astype("float64")
    if (frame["spread"] < 0).any():
        raise TableError(
            f"The spread of '{frame.index[frame['spread'] < 0][0]}' is negative.",
            where="spread",
            remedy="Give standard deviations, zero or more.",
        )
    gap = (frame["target"] - frame["expected"]).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(gap == 0, 0.0, gap / frame["spread"].to_numpy())
    chance = np.where((frame["spread"] == 0) & (gap <= 0), 1.0, _above(steps, _freedom(degrees, frame.index)))
    return pd.Series(np.where(frame.notna().all(axis=1), chance, np.nan), frame.index, name="chance")


def target_with_chance(
    chance: float, expected: pd.Series, spread: pd.Series, *, degrees: Degrees = None
) -> pd.Series:
    """Find the target that would be reached with a given chance; minor units, missing where nothing is expected.

    Examples
    --------
    >>> target_with_chance(0.7, pd.Series([100.0]), pd.Series([20.0])).round(1).tolist()
    [89.5]
    """
    if not 0 < chance < 1:
        raise ParamsError(
            f"No target is reached with a chance of {chance:g}.", remedy="Use 0 to 1, without them."
        )
    steps = pd.Series(stats.t.isf(chance, _freedom(degrees, expected.index)), expected.index)
    return expected.astype("float64") + steps * spread.astype("float64")


def classify(chance: pd.Series, reach: Reach) -> pd.Series:
    """Call each target beyond reach, a stretch, fair or too easy; `nobody can tell` where the chance is missing.

    Examples
    --------
    >>> classify(pd.Series([0.05, 0.2, 0.5, 0.9, None]), Reach()).tolist()
    ['beyond reach', 'stretch', 'fair', 'too easy', 'nobody can tell']
    """
    conditions = [chance.isna(), chance < reach.stretch, chance < reach.fair, chance <= reach.easy]
    return pd.Series(
        np.select(conditions, [UNKNOWN, BEYOND, STRETCH, FAIR], EASY),
        chance.index,
        name="class",
        dtype="object",
    )


def feasibility(
    target: pd.Series,
    expected: pd.Series,
    spread: pd.Series,
    *,
    reach: Reach,
    degrees: Degrees = None,
    within: float = 0.8,
) -> pd.DataFrame:
    """Lay target, expectation and chance side by side, one row per node of `target`.

    Parameters
    ----------
    within
        Chance that sales lie between `low` and `high`.

    Returns
    -------
    pd.DataFrame
        Columns node, target, expected, low, high (minor units; low ends at nothing), chance, class, at_50 and at_70 (the targets that
        would be reached with a chance of 50 % and 70 %), difficulty (target / expected).
    """
    chance = chance_of_attaining(target, expected, spread, degrees=degrees)
    known, tail = expected.reindex(target.index).astype("float64"), (1.0 - within) / 2.0
    least = known.clip(upper=0.0)  # nobody plans with sales below nothing
    wide = spread.reindex(target.index)
    return pd.DataFrame(
        {
            "target": target,
            "expected": known,
            "low": np.maximum(target_with_chance(1.0 - tail, known, wide, degrees=degrees), least),
            "high": target_with_chance(tail, known, wide, degrees=degrees),
            "chance": chance,
            "class": classify(chance, reach),
            "at_50": target_with_chance(0.5, known, wide, degrees=degrees),
            "at_70": np.maximum(target_with_chance(0.7, known, wide, degrees=degrees), least),
            "difficulty": difficulty(target, known),
        }
    ).reset_index(names=NODE)


def count_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Count targets by level and class, in the order of the classes: columns level, nodes and one per class.

    Parameters
    ----------
    table
        Columns level and class.
    """
    need(table, ["level", "class"], "feasibility")
    counts = pd.crosstab(table["level"], table["class"]).reindex(columns=list(CLASSES), fill_value=0)
    ordered = counts.reindex(table["level"].drop_duplicates())
    ordered.insert(0, "nodes", ordered.sum(axis=1))
    return ordered.rename_axis(columns=None).reset_index()


def difficulty(target: pd.Series, expected: pd.Series) -> pd.Series:
    """Say how much effort a target asks: target / expected, 1.1 is ten per cent more than can be expected.

    Missing where nothing (or less) is expected: no effort can be named for it.
    """
    known = expected.reindex(target.index).astype("float64")
    return (target.astype("float64") / known.where(known > 0)).rename("difficulty")


def _above(steps: Floats, freedom: Floats) -> Floats:
    found: Floats = stats.t.sf(steps, freedom)  # infinite freedom is the normal distribution
    return found


def _freedom(degrees: Degrees, index: pd.Index) -> Floats:
    """Lay degrees of freedom out by node; infinite where none are given."""
    if isinstance(degrees, pd.Series):
        return np.asarray(degrees.reindex(index).astype("float64").fillna(np.inf), dtype=np.float64)
    return np.full(len(index), np.inf if degrees is None else float(degrees))
