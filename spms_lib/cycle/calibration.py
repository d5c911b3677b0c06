"""Calibration of a cycle: the track record of its forecasters, and the field's forecast as it stands after correction."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spms_lib.collect.calibration.bias import OWN, Biases, learn_bias
from spms_lib.collect.calibration.correct import corrected, variance_of_sum, walk_forward
from spms_lib.collect.calibration.record import COMMIT_FORECAST, track_record
from spms_lib.cycle.collection.heard import submissions_heard
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.evidence import past_quarters
from spms_lib.tables import CATEGORY, NODE, PERIOD, SOURCE, VALUE, to_long


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is known of the forecasters when the cycle's forecasts are in.

    Attributes
    ----------
    record
        From `track_record`: past quarters, each by the lead of this one.
    biases
        From `learn_bias` on the commit forecast; None without a past.
    team, market
        Indexed by every node there ever was: the node it is drawn towards, and the node of the review level it shares
        its luck with.
    """

    record: pd.DataFrame
    biases: Biases | None
    team: pd.Series
    market: pd.Series

    @property
    def main(self) -> pd.DataFrame:
        """The record of the commit forecast."""
        return self.record[self.record[CATEGORY] == COMMIT_FORECAST].reset_index(drop=True)


def calibrate(desk: Desk, *, quarters: int = 8) -> Calibration:
    """Pair past forecasts with what came, and learn each forecaster's bias from what the plan may know."""
    told = desk.params.collection
    team, market = _groups(desk)
    came = to_long(desk.actuals(until=desk.params.plan_as_of))
    roster = desk.table("roster") if desk.has("roster") else None
    cut_offs = cut_offs_of(desk, past_quarters(desk, quarters))
    record = track_record(submissions_heard(desk), came, desk.calendar, cut_offs=cut_offs, roster=roster)
    found = Calibration(record, None, team, market)
    biases = learn_bias(
        found.main,
        team=team,
        market=market,
        half_life=told.half_life_quarters,
        least_history=told.least_history,
    )
    return Calibration(record, biases, team, market)


def corrected_field(desk: Desk, found: Calibration) -> pd.DataFrame:
    """Set the quarter's commit forecasts beside what the record makes of them; no rows where nobody has submitted.

    Returns
    -------
    pd.DataFrame
        As from `corrected`: one row per leaf and month that was heard by the cut-off.
    """
    months = dict.fromkeys(desk.months, desk.params.collect_as_of)
    empty = pd.DataFrame(columns=[NODE, PERIOD, VALUE])
    said = track_record(submissions_heard(desk), empty, desk.calendar, cut_offs=months)
    mine = said[(said[CATEGORY] == COMMIT_FORECAST) & said[NODE].isin(desk.tree.leaves)]
    rows = mine.rename(columns={"forecast": VALUE}).reset_index(drop=True)
    return corrected(rows, found.biases, team=found.team)


def field_in_use(desk: Desk, field: pd.DataFrame) -> pd.DataFrame:
    """Return the field's estimates as the plan counts them: as said, or corrected where the params say so.

    Parameters
    ----------
    field
        Columns node, period, source, value.
    """
    if not desk.params.collection.apply_correction or field.empty:
        return field
    known = corrected_field(desk, calibrate(desk))
    return _replaced(field, known)


def past_field_in_use(desk: Desk, said: pd.DataFrame, *, quarters: int = 8) -> pd.DataFrame:
    """Return past submissions as the plan would have counted them: each quarter corrected from those before it.

    The first quarters, which have too few before them, are left out where the correction is in use, so that trust is
    learned from corrected forecasts alone.
    """
    if not desk.params.collection.apply_correction or said.empty:
        return said
    walked = trial(desk, calibrate(desk, quarters=quarters))
    keys = pd.MultiIndex.from_frame(walked[[NODE, PERIOD]])
    tried = pd.MultiIndex.from_frame(said[[NODE, PERIOD]]).isin(keys)
    return _replaced(said[tried].reset_index(drop=True), walked)


def trial(desk: Desk, found: Calibration) -> pd.DataFrame:
    """Correct past quarters from what was known before each: see `walk_forward`."""
    told = desk.params.collection
    return walk_forward(
        found.main,
        team=found.team,
        market=found.market,
        half_life=told.half_life_quarters,
        least_history=told.least_history,
    )


def side_by_side(desk: Desk, found: Calibration, field: pd.DataFrame) -> pd.DataFrame:
    """Add raw and corrected forecasts up by node of the review level and for the company.

    Returns
    -------
    pd.DataFrame
        Columns node, name, raw, corrected, factor (corrected / raw), low, high (90 % range of what may come from those
        who spoke, errors in common adding up), own (share of raw with an own record), sd_alone (what the spread would be
        were the errors independent), sd.
    """
    heads = [desk.tree.root, *desk.tree.at_level(desk.review_level)]
    above = (
        desk.tree.ancestor(desk.review_level)
        .reindex(field[NODE])
        .set_axis(field.index)
        .fillna(desk.tree.root)
    )
    parts = []
    for by, nodes in ((pd.Series(desk.tree.root, field.index), heads[:1]), (above, heads[1:])):
        sums = field[["raw", "corrected", "variance"]].groupby(by).sum(min_count=1).reindex(nodes)
        sums["sd"] = np.sqrt(variance_of_sum(field, by=by, market=found.market)).reindex(nodes)
        sums["own"] = field["raw"].where(field["evidence"] == OWN, 0.0).groupby(by).sum() / sums["raw"]
        parts.append(sums)
    table = pd.concat(parts).rename_axis(NODE).reset_index()
    table = table[~table[NODE].duplicated()].assign(name=lambda rows: rows[NODE].map(desk.tree.name))
    table["factor"] = table["corrected"] / table["raw"].where(table["raw"] != 0)
    table["sd_alone"] = np.sqrt(table["variance"].where(table["variance"] > 0))
    table["sd"] = table["sd"].where(table["sd"] > 0)
    table["low"], table["high"] = (table["corrected"] + sign * 1.645 * table["sd"] for sign in (-1, 1))
    return table[[NODE, "name", "raw", "corrected", "factor", "low", "high", "own", "sd_alone", "sd"]]


def _groups(desk: Desk) -> tuple[pd.Series, pd.Series]:
    """Say for every node there ever was which node it is drawn towards, and which one it shares its luck with."""
    tree, carrier = desk.tree, desk.carrier
    leaf = pd.Series(tree.is_leaf, tree.nodes)
    place = carrier.where(~carrier.map(leaf).astype(bool), carrier.map(tree.parents))
    market = tree.ancestor(desk.review_level).fillna(tree.root)
    return place.fillna(tree.root), carrier.map(market)


def cut_offs_of(desk: Desk, quarters: list[str]) -> dict[str, dt.date]:
    """Cut off every month of past quarters as this cycle does: as many days after the quarter's first."""
    lead = desk.params.collect_as_of - desk.calendar.start(desk.cycle)
    return {
        month: desk.calendar.start(quarter) + lead
        for quarter in quarters
        for month in desk.calendar.months(quarter)
    }


def _replaced(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    value = known.set_index([NODE, PERIOD])["corrected"]
    found = value.reindex(pd.MultiIndex.from_frame(rows[[NODE, PERIOD]])).to_numpy()
    return rows.assign(**{VALUE: np.where(np.isnan(found), rows[VALUE].astype(float), found)})[
        [NODE, PERIOD, SOURCE, VALUE]
    ]
