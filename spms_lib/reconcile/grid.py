"""Long tables of estimates, holds and bounds laid out over cells and periods, as the projection takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spms_lib.errors import InfeasibleError, TableError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection import Cut, Structure, WithCuts
from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, VARIANCE, need

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

CUT: Final = "cut"
WEIGHT: Final = "weight"
FEW: Final = 32  # places that are quicker looked for one by one than by sorting
HOLDS, LOWER, UPPER = "holds", "lower bounds", "upper bounds"  # tables of limits, as messages call them
ONLY: Final = "all"  # the one column of a structure that has the periods as a dimension


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each key of a long table lies: cells of the structure down, periods across.

    Attributes
    ----------
    base
        The hierarchy or crossed hierarchy.
    structure
        The same with its cuts.
    periods
        Names of the columns.
    """

    base: Hierarchy | Crossed
    structure: Structure
    periods: list[str]

    @classmethod
    def of(
        cls, base: Hierarchy | Crossed, periods: Sequence[str], cuts: pd.DataFrame | None = None
    ) -> "Layout":
        """Lay out a structure and its cuts.

        Parameters
        ----------
        cuts
            Columns cut (its name), the keys of a cell, and optionally weight: a row per cell that it adds up.
        """
        plain = cls(base, base, list(periods))
        if cuts is None or cuts.empty:
            return plain
        need(cuts, [CUT, *plain.keys], "cuts")
        taken = set(map(str, cuts[CUT])) & set(map(str, plain.first_tree.nodes))
        if taken:
            raise TableError(
                f"'{min(taken)}' is the name of a node and of a cut.", where="cuts", remedy="Rename the cut."
            )
        places = plain.cells(cuts, "cuts")
        weights = cuts[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in cuts else np.ones(len(cuts))
        rows = pd.DataFrame({CUT: cuts[CUT].array, "place": places, WEIGHT: weights})
        made = [
            Cut(str(name), mine["place"].to_numpy(), mine[WEIGHT].to_numpy())
            for name, mine in rows.groupby(CUT, sort=False)
        ]
        return cls(base, WithCuts(base, made), list(periods))

    @property
    def keys(self) -> list[str]:
        """Columns that name a cell."""
        return [NODE] if isinstance(self.base, Hierarchy) else list(self.base.dimensions)

    @property
    def has_periods(self) -> bool:
        """True where the periods are columns, False where they are a dimension of the structure."""
        return PERIOD not in self.keys

    @property
    def first_tree(self) -> Hierarchy:
        """The tree whose nodes the first key names; cuts are named in that column too."""
        return self.base if isinstance(self.base, Hierarchy) else next(iter(self.base.dimensions.values()))

    @property
    def cuts(self) -> Sequence[Cut]:
        """The cuts, in the order of their cells."""
        return self.structure.cuts if isinstance(self.structure, WithCuts) else ()

    @cached_property
    def index(self) -> pd.Index:
        """Names of the cells, cuts left out."""
        return self.base.nodes if isinstance(self.base, Hierarchy) else self.base.keys

    def cells(self, rows: pd.DataFrame, table: str) -> Places:
        """Find the cell of each row; refuse rows that name none."""
        need(rows, self.keys, table)
        if isinstance(self.base, Hierarchy):
            places = _positions(self.base.nodes, rows[NODE])
        else:
            by_axis = [_positions(tree.nodes, rows[key]) for key, tree in self.base.dimensions.items()]
            known = np.all([place >= 0 for place in by_axis], axis=0)
            codes = np.ravel_multi_index([np.maximum(place, 0) for place in by_axis], self.base.shape)
            found = np.minimum(np.searchsorted(self.base.codes, codes), len(self.base) - 1)
            places = np.where(known & (self.base.codes[found] == codes), found, -1)
        if self.cuts:
            cut = _positions(pd.Index([cut.name for cut in self.cuts]), rows[self.keys[0]])
            places = np.where((places < 0) & (cut >= 0), len(self.base) + cut, places)
        if (places < 0).any():
            strange = rows.loc[places < 0, self.keys].iloc[0]
            raise TableError(
                f"{int((places < 0).sum())} {table} are for nodes outside the tree, such as "
                f"'{' x '.join(map(str, strange))}'.",
                where=table,
                remedy="Use the hierarchy of the planned period.",
            )
        return places

    def flat(self, rows: pd.DataFrame, table: str) -> Places:
        """Find the place of each row in a grid of cells x periods, counted along the rows of the grid."""
        cells = self.cells(rows, table)
        if not self.has_periods:
            return cells
        need(rows, [PERIOD], table)
        return cells * len(self.periods) + self.columns(rows[PERIOD], table)

    def columns(self, periods: pd.Series, table: str) -> Places:
        """Find the column of each period; refuse periods that are not planned."""
        places = _positions(pd.Index(self.periods), periods)
        if (places < 0).any():
            raise TableError(
                f"'{periods[places < 0].iloc[0]}' is not a period of this plan.",
                where=table,
                remedy=f"Its periods are {', '.join(map(str, self.periods))}.",
            )
        return places

    def frame(self, grid: NDArray[np.generic]) -> pd.DataFrame:
        """Show a grid as a table: cells x periods."""
        own = pd.DataFrame(grid[: len(self.base)], self.index, self.periods)
        if self.has_periods:
            return own
        series = own[self.periods[0]]
        wide = series.unstack(PERIOD)
        trees = dict(self.base.dimensions) if isinstance(self.base, Crossed) else {}
        wide = wide.reindex(columns=trees[PERIOD].nodes).rename_axis(columns=None)
        return wide.reindex(trees[NODE].nodes) if list(trees) in ([NODE, PERIOD], [PERIOD, NODE]) else wide

    def long(self, flat: Places) -> pd.DataFrame:
        """Name places of a grid: the keys and the period of each; a cut is named in the first key."""
        cells, columns = np.divmod(flat, len(self.periods))
        inside = cells < len(self.base)
        named = self.index.take(np.where(inside, cells, 0)).to_frame(index=False)
        table = named.set_axis(self.keys, axis=1).astype(object)
        if not inside.all():
            names = [self.cuts[cell - len(self.base)].name for cell in cells[~inside]]
            table.loc[~inside, self.keys] = None
            table.loc[~inside, self.keys[0]] = names
        if self.has_periods:
            table[PERIOD] = np.array(self.periods, dtype=object)[columns]
        return table


def _positions(known: pd.Index, names: pd.Series) -> Places:
    """Find names in an index, each distinct name once."""
    codes, distinct = pd.factorize(names)
    where = np.append(known.get_indexer(pd.Index(distinct)), -1)
    found: Places = where[codes]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """What one source says.

    Attributes
    ----------
    flat
        Shape (k,): places in the grid of cells x periods.
    value
        Shape (k,): minor units.
    weight
        Shape (k,): its part of what all sources together say there; 1 where it is alone.
    """

    name: str
    flat: Places
    value: Floats
    weight: Floats


@dataclass(frozen=True, eq=False)
class Heard:
    """All sources of each cell and period combined by precision.

    Attributes
    ----------
    said
        Shape (n_cells, n_periods): True where somebody has said something.
    value
        Shape (n_cells, n_periods): the sources' mean, weighed by precision; 0 where nobody has.
    variance
        Shape (n_cells, n_periods): of that mean; infinite where nobody has. 1 each where no variance is given.
    """

    layout: Layout
    voices: list[Voice]
    said: NDArray[np.bool_]
    value: Floats
    variance: Floats

    @classmethod
    def of(cls, layout: Layout, estimates: pd.DataFrame) -> "Heard":
        """Combine a long table of estimates.

        Parameters
        ----------
        estimates
            Keys of the layout, source, value and optionally variance (positive; 0 holds the cell, infinite leaves
            the row out).

        Raises
        ------
        TableError
            If a cell is unknown, a value or variance is missing, or a source speaks twice.
        """
        need(estimates, [*layout.keys, SOURCE, VALUE], "estimates")
        _check_numbers(estimates, layout.keys)
        flat = layout.flat(estimates, "estimates")
        value = estimates[VALUE].to_numpy(dtype=np.float64)
        stated = VARIANCE in estimates
        variance = estimates[VARIANCE].to_numpy(dtype=np.float64) if stated else np.ones(len(value))
        shape = (len(layout.structure), len(layout.periods))
        codes, names = pd.factorize(estimates[SOURCE])
        parts = [flat[codes == number] for number in range(len(names))] if len(names) > 1 else [flat]
        for name, mine in zip(names, parts, strict=True):
            _refuse_twice(layout, mine, int(np.prod(shape)), str(name))
        with np.errstate(divide="ignore"):
            precision = 1.0 / variance
        total = np.zeros(int(np.prod(shape)))
        for number, mine in enumerate(parts):
            total[mine] += precision if len(parts) == 1 else precision[codes == number]
        certain = np.isinf(total)
        sure = np.zeros(len(total)) if certain.any() else None
        voices, mean = [], np.zeros(len(total))
        for number, (name, mine) in enumerate(zip(names, parts, strict=True)):
            own = slice(None) if len(parts) == 1 else codes == number
            if sure is not None:
                sure[mine] += np.isinf(precision[own])
            voices.append(Voice(str(name), mine, value[own], precision[own]))
        voices = [_weighed(voice, total, sure) for voice in voices]
        for voice in voices:
            mean[voice.flat] += voice.weight * voice.value
        with np.errstate(divide="ignore"):
            pooled = (1.0 / total).reshape(shape)
        return cls(layout, voices, np.isfinite(pooled), mean.reshape(shape), pooled)

    def with_values(self, changed: pd.DataFrame) -> "Heard":
        """Let sources say something else where they have spoken before; variances stay.

        Parameters
        ----------
        changed
            Keys of the layout, source and value.

        Raises
        ------
        TableError
            If a source has not spoken there.
        """
        need(changed, [*self.layout.keys, SOURCE, VALUE], "values")
        value, voices = self.value.copy(), {voice.name: voice for voice in self.voices}
        for name, rows in changed.groupby(SOURCE, sort=False):
            flat = self.layout.flat(rows, "values")
            voice = voices.get(str(name))
            at = _found(voice.flat, flat) if voice else flat
            if voice is None or (at < 0).any():
                row = rows.iloc[0]
                raise TableError(
                    f"The {name} has said nothing of '{row[self.layout.keys[0]]}' there before.",
                    where="values",
                    remedy="Reconcile anew with the estimate and its variance.",
                )
            said = rows[VALUE].to_numpy(dtype=np.float64)
            value.reshape(-1)[flat] += voice.weight[at] * (said - voice.value[at])
            own = voice.value.copy()
            own[at] = said
            voices[voice.name] = Voice(voice.name, voice.flat, own, voice.weight)
        return Heard(self.layout, list(voices.values()), self.said, value, self.variance)

    def part(self, voice: Voice) -> Floats:
        """Lay out what one source contributes to the combined values; shape (n_cells, n_periods)."""
        grid = np.zeros(self.value.size)
        grid[voice.flat] = voice.weight * voice.value
        return grid.reshape(self.value.shape)


def _found(places: Places, wanted: Places) -> Places:
    """Find each wanted place among distinct ones; -1 where it is missing."""
    if len(wanted) <= FEW:
        hits = [np.flatnonzero(places == place) for place in wanted.tolist()]
        return np.array([int(hit[0]) if len(hit) else -1 for hit in hits], dtype=np.int64)
    order = np.argsort(places)
    at = order[np.minimum(np.searchsorted(places, wanted, sorter=order), len(order) - 1)]
    return np.where(places[at] == wanted, at, -1)


def _weighed(voice: Voice, total: Floats, sure: Floats | None) -> Voice:
    """Turn precisions into shares of the total; sources that are all certain share equally."""
    here = total[voice.flat]
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(here > 0, voice.weight / here, 0.0)
    if sure is not None:
        count = sure[voice.flat]
        weight = np.where(count > 0, np.isinf(voice.weight) / np.maximum(count, 1.0), weight)
    return Voice(voice.name, voice.flat, voice.value, weight)


def _check_numbers(estimates: pd.DataFrame, keys: list[str]) -> None:
    if estimates.empty:
        raise TableError(
            "There is no estimate to reconcile.",
            where="estimates",
            remedy="Set targets or collect submissions first.",
        )
    wrong = ~np.isfinite(estimates[VALUE].to_numpy(dtype=np.float64, na_value=np.nan))
    if VARIANCE in estimates:
        wrong |= ~(estimates[VARIANCE].to_numpy(dtype=np.float64, na_value=np.nan) >= 0)
    if wrong.any():
        row = estimates[wrong].iloc[0]
        name = " x ".join(str(row[key]) for key in keys if key != PERIOD)
        raise TableError(
            f"The {row[SOURCE]} of '{name}' in {row.get(PERIOD, ONLY)} has no value or no variance.",
            where="estimates",
            remedy="Leave the row out where nobody has said anything.",
        )


def _refuse_twice(layout: Layout, flat: Places, size: int, source: str) -> None:
    seen = np.zeros(size, dtype=bool)
    seen[flat] = True
    if int(seen.sum()) < len(flat):
        twice = np.sort(flat)
        again = layout.long(twice[1:][np.diff(twice) == 0][:1]).iloc[0]
        name = " x ".join(str(again[key]) for key in layout.keys if key != PERIOD)
        raise TableError(
            f"The {source} of '{name}' in {again.get(PERIOD, ONLY)} stands twice.",
            where="estimates",
            remedy="Name the two sources differently.",
        )


def limit_grids(
    layout: Layout,
    holds: pd.DataFrame | None,
    lower: pd.DataFrame | None,
    upper: pd.DataFrame | None,
) -> tuple[Floats, Floats] | tuple[None, None]:
    """Lay out holds and bounds as lower and upper limits; rows of other periods are no concern of this plan.

    Raises
    ------
    InfeasibleError
        If a limit is not a whole number of minor units.
    """
    if all(table is None or table.empty for table in (holds, lower, upper)):
        return None, None
    shape = (len(layout.structure), len(layout.periods))
    low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
    for table, name in ((lower, LOWER), (upper, UPPER), (holds, HOLDS)):
        if table is None or table.empty:
            continue
        need(table, [*layout.keys, PERIOD, VALUE], name)
        rows = table[table[PERIOD].isin(layout.periods)] if layout.has_periods else table
        value = _whole(rows, name, layout)
        flat = layout.flat(rows, name)
        if name != UPPER:
            np.maximum.at(low.reshape(-1), flat, value)
        if name != LOWER:
            np.minimum.at(high.reshape(-1), flat, value)
    return low, high


def _whole(rows: pd.DataFrame, name: str, layout: Layout) -> Floats:
    value = rows[VALUE].to_numpy(dtype=np.float64, na_value=np.nan)
    broken = ~(np.isfinite(value) & (value == np.rint(value)))
    if broken.any():
        row = rows[broken].iloc[0]
        raise InfeasibleError(
            f"The {name.removesuffix('s')} on '{row[layout.keys[0]]}' in {row.get(PERIOD, ONLY)} is not a whole number of "
            "minor units.",
            where=name,
            remedy="Round it.",
        )
    return value
