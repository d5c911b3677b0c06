"""Windows: past quarters seen from the day before each, and what every candidate would have said."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import PeriodError
from spms_lib.goals.baseline import baseline
from spms_lib.goals.baselines.candidates import HOUSE, KNOWN_BEFORE, LEAST_WINDOWS, OFFERED, YOUNG, kinds
from spms_lib.goals.baselines.series import Floats, forecast_series


@dataclass(frozen=True, slots=True)
class Windows:
    """A history cut into windows: the last is the future, those before are past quarters of the same length.

    Attributes
    ----------
    values
        Shape (n_nodes, n_months).
    ends
        Shape (n_windows + 1,): months known at each window, the present first, then ever further back.
    gap, length
        Months between the last known one and the first to forecast, and months to forecast.
    start
        Shape (n_nodes,): first month after which nothing is missing.
    kind, zero_ratio
        Shape (n_nodes,), see `kinds`.
    counts
        Shape (n_nodes, n_windows): which past windows count for the choice of a node's model.
    """

    values: Floats
    ends: NDArray[np.int64]
    gap: int
    length: int
    start: NDArray[np.int64]
    kind: NDArray[np.str_]
    zero_ratio: Floats
    counts: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.int64]:
        """Months known without a gap up to the last one, by node."""
        return np.asarray(self.values.shape[1] - self.start)

    @property
    def scored(self) -> NDArray[np.int64]:
        """Shape (n_windows, length): position of the months that each past window forecasts."""
        return np.asarray(self.ends[1:, None] + self.gap + np.arange(self.length))

    @property
    def actual(self) -> Floats:
        """Shape (n_nodes, n_windows, length): what came in past windows; missing where they do not count."""
        return np.where(self.counts[:, :, None], self.values[:, self.scored], np.nan)


def cut(history: pd.DataFrame, months: list[str], calendar: FiscalCalendar, most: int) -> Windows:
    """Cut a history into at most `most` past windows that look like the question asked now."""
    gap = _gap(history, months, calendar)
    values = history.to_numpy(dtype=np.float64)
    count, length = values.shape[1], len(months)
    ends = count - np.where(np.arange(most + 1) > 0, gap, 0) - length * np.arange(most + 1)
    ends = ends[(ends > 0) | (np.arange(most + 1) == 0)]
    missing = np.isnan(values)
    start = np.where(missing.any(axis=1), count - np.argmax(missing[:, ::-1], axis=1), 0) if count else 0
    start = np.broadcast_to(start, len(values)).astype(np.int64)
    inside = np.arange(count) >= start[:, None]
    zero_ratio = ((values == 0) & inside).sum(axis=1) / np.maximum(count - start, 1)
    kind = kinds(count - start, zero_ratio, gap + length)
    least = pd.Series(kind).map(KNOWN_BEFORE).to_numpy(dtype=np.int64)
    counts = ends[None, 1:] >= (start + least)[:, None]
    counts &= (counts.sum(axis=1) >= LEAST_WINDOWS)[:, None] | (kind == YOUNG)[:, None]
    return Windows(values, ends, gap, length, start, kind, zero_ratio, counts)


def _gap(history: pd.DataFrame, months: list[str], calendar: FiscalCalendar) -> int:
    """Count months between the last known one and the first to forecast; refuse periods out of order."""
    known = list(history.columns)
    for names, what in ((known, "history"), (months, "months")):
        if names and names != calendar.range(names[0], names[-1]):
            raise PeriodError(
                f"The {what} are not consecutive months in order of time.",
                where=what,
                remedy="Give every month between the first and the last one, missing where nothing is known.",
            )
    if not months or (known and months[0] <= known[-1]):
        raise PeriodError(
            "There is no month to forecast after the history."
            if not months
            else f"{months[0]} is known already.",
            where="months",
            remedy="Forecast months after the last known one.",
        )
    return len(calendar.range(known[-1], months[0])) - 2 if known else 0


def predictions(
    history: pd.DataFrame,
    months: list[str],
    calendar: FiscalCalendar,
    windows: Windows,
    models: tuple[str, ...],
    **how: Any,
) -> dict[str, Floats]:
    """Let every candidate forecast every window of the nodes that it is offered to, knowing only what was known.

    Returns
    -------
    dict[str, np.ndarray]
        Model: shape (n_nodes, n_windows + 1, length), the future first; missing where it was not asked or cannot tell.
    """
    shape = (len(history), len(windows.ends), windows.length)
    found = {name: np.full(shape, np.nan) for name in models}
    for window, end in enumerate(windows.ends):
        asked = [*months] if not window else [history.columns[i] for i in windows.scored[window - 1]]
        found[HOUSE][:, window] = baseline(history.iloc[:, :end], asked, calendar).to_numpy()
    asked_too = np.hstack([(windows.known > 0)[:, None], windows.counts])
    for kind, offered in OFFERED.items():
        chosen_from = windows.counts.sum(axis=1) >= LEAST_WINDOWS
        rows, at = np.nonzero(asked_too & ((windows.kind == kind) & chosen_from)[:, None])
        pieces = [
            windows.values[i, windows.start[i] : windows.ends[w]] for i, w in zip(rows, at, strict=True)
        ]
        names = [name for name in models if name in offered and name != HOUSE]
        for name, ahead in forecast_series(pieces, names, windows.gap + windows.length, **how).items():
            found[name][rows, at] = ahead[:, windows.gap :]
    return {name: _not_below_zero(windows, values) for name, values in found.items()}


def _not_below_zero(windows: Windows, said: Floats) -> Floats:
    """Raise forecasts to zero where a node never sold less."""
    below = np.where(windows.values < 0, np.arange(windows.values.shape[1]), np.iinfo(np.int64).max)
    first = below.min(axis=1, initial=np.iinfo(np.int64).max)
    never = windows.ends[None, :] <= first[:, None]
    return np.where(never[:, :, None] & (said < 0), 0.0, said)
