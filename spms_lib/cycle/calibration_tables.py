"""Tables, figures' rows and sentences of the calibration notebook."""

from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.collect.calibration.bias import OWN
from spms_lib.collect.calibration.detect import forecasts_off, signals
from spms_lib.collect.calibration.ranges import judged, sums_by_quarter
from spms_lib.collect.calibration.record import QUARTER
from spms_lib.cycle.calibration import Calibration
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.planning import FIELD, gather_estimates
from spms_lib.goals.honesty import brier, calibration
from spms_lib.review.accuracy import accuracy
from spms_lib.review.scores import ratio_interval, tally
from spms_lib.tables import LEVEL, NODE, PERIOD, SOURCE, VALUE

MOST_ROWS: Final = 30
RAW, CORRECTED = "raw", "corrected"
SIGN_NOTE: Final = (
    "bias = forecast - actual: bias_ratio = exp(mean of ln(forecast / actual)) - 1, positive is over-forecast; "
    "90 % interval; what a quarter did to everybody is taken out."
)
BIAS_COLUMNS: Final = ("bias_ratio", "ratio_low", "ratio_high")


def bias_table(desk: Desk, found: Calibration) -> pd.DataFrame:
    """List the mean bias of the company's people, then that of each team's.

    Returns
    -------
    pd.DataFrame
        Columns name, people, months, bias_ratio, ratio_low, ratio_high.
    """
    columns = ["name", "people", "months", *BIAS_COLUMNS]
    if found.biases is None:
        return pd.DataFrame(columns=columns)
    whole = found.biases.company.to_frame().T.set_axis([desk.tree.root])
    teams = found.biases.teams
    placed = teams[teams.index.isin(desk.tree.nodes)]
    order = sorted(placed.index, key=desk.tree.position)
    table = pd.concat([whole, placed.loc[[one for one in order if one != desk.tree.root]]])
    table["name"] = [desk.tree.name[node] for node in table.index]
    return table[columns].infer_objects().reset_index(drop=True)


def people_counts(found: Calibration) -> str:
    """Say of how many people an own bias can be stated, and of how many the team's stands in."""
    if found.biases is None:
        return "Nobody has a past forecast with an actual beside it."
    evidence = found.biases.people["evidence"]
    return (
        f"{(evidence == OWN).sum()} of {len(evidence)} forecasters have a past long enough for a bias of their own; "
        f"for the others the team's stands in."
    )


def lead_table(desk: Desk, found: Calibration) -> pd.DataFrame:
    """Measure the commit forecast by how long before the end of its month it was sent.

    Returns
    -------
    pd.DataFrame
        Columns lead (days), n, left_out, wape, bias_ratio (sum of bias / sum of actuals), hits (share within
        `hit_within`), hits_low, hits_high (90 % interval over quarters).
    """
    told = desk.params.collection
    rows = found.main
    columns = ["lead", "n", "left_out", "wape", "bias_ratio", "hits", "hits_low", "hits_high"]
    rows = rows[(rows["state"] != "not in the seat") & rows["lead"].notna()]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    edges = [-np.inf, 0, 31, 62, 93, np.inf]
    names = ["after its end", "up to 31 days", "32 to 62 days", "63 to 93 days", "over 93 days"]
    rows = rows.assign(lead=pd.cut(rows["lead"], edges, labels=names).astype(str))
    said = rows.rename(columns={"forecast": VALUE}).assign(**{SOURCE: RAW})[
        [NODE, PERIOD, SOURCE, VALUE, "lead"]
    ]
    came = rows.loc[rows["actual"].notna(), [NODE, PERIOD, "actual"]].rename(columns={"actual": VALUE})
    table = accuracy(said, came, by=["lead"], sources=[RAW])
    hits = with_interval(
        sums_by_quarter(judged(rows, within=told.hit_within), "hit", by="lead"), by="lead", name="hits"
    )
    table = table.merge(hits.drop(columns="n"), on="lead", how="left")
    table["place"] = table["lead"].map(names.index)
    return table.sort_values("place", ignore_index=True)[columns]


def with_interval(sums: pd.DataFrame, *, by: str, name: str) -> pd.DataFrame:
    """Turn flags added up by quarter into shares with 90 % intervals over quarters, kept within 0 and 1."""
    rows = []
    for group, part in sums.groupby(by, sort=True):
        flagged, n = part[["flagged"]].to_numpy(dtype=np.float64), part["n"].to_numpy(dtype=np.float64)
        low, high = (float(end[0]) for end in ratio_interval(flagged, n))
        rows.append((group, int(n.sum()), flagged.sum() / n.sum(), max(low, 0.0), min(high, 1.0)))
    return pd.DataFrame(rows, columns=[by, "n", name, f"{name}_low", f"{name}_high"])


def range_table(desk: Desk, found: Calibration) -> pd.DataFrame:
    """Tell how often actuals fell in the ranges that were stated, for the company and by node of the review level.

    Returns
    -------
    pd.DataFrame
        Columns name, n, inside, inside_low, inside_high, below, above, stated; no rows where nobody states ranges.
    """
    told = desk.params.collection
    rows = judged(found.main, within=told.hit_within, range_share=told.range_share)
    known = rows[rows["inside"].notna() & (rows["state"] != "not in the seat")]
    columns = ["name", "n", "inside", "inside_low", "inside_high", "below", "above", "stated"]
    if known.empty:
        return pd.DataFrame(columns=columns)
    parts = []
    for name in (known[NODE].map(lambda _: desk.tree.root), known[NODE].map(found.market)):
        part = known.assign(group=name)
        shares = with_interval(sums_by_quarter(part, "inside", by="group"), by="group", name="inside")
        parts.append(shares.join(part.groupby("group")[["below", "above"]].mean(), on="group"))
    table = pd.concat(parts, ignore_index=True).drop_duplicates("group")
    return table.assign(name=table["group"].map(desk.tree.name), stated=told.range_share)[columns]


def places(desk: Desk, found: Calibration) -> pd.Series:
    """Say where actuals fell in the stated distributions, 0 to 1: see `stated_place`."""
    rows = found.main[found.main["state"] != "not in the seat"]
    return judged(rows, range_share=desk.params.collection.range_share)["pit"].dropna()


def confidence_table(found: Calibration) -> pd.DataFrame:
    """Set the stated chances that a number is reached beside how often it was: n, stated, reached, low, high."""
    rows = _spoken_of(found)
    table = calibration(rows["confidence"], rows["reached"])
    return table.rename(columns={"chance": "stated", "attained": "reached"})


def confidence_score(found: Calibration) -> pd.Series:
    """Score the stated chances: see `brier`."""
    rows = _spoken_of(found)
    return brier(rows["confidence"], rows["reached"]) if len(rows) else pd.Series(dtype="float64")


def _spoken_of(found: Calibration) -> pd.DataFrame:
    rows = judged(found.main[found.main["state"] != "not in the seat"])
    return rows[rows["confidence"].notna() & rows["reached"].notna()]


def names_table(desk: Desk, found: Calibration) -> pd.DataFrame:
    """List who forecasts low or high, as told by the params, with what else is known of them; surest first.

    Returns
    -------
    pd.DataFrame
        Columns forecaster, team (printed name), months, forecasts (low or high), bias_ratio, ratio_low, ratio_high, chance,
        over, under, commit_to_pipeline (see `signals`), listed.
    """
    told = desk.params.collection
    table = forecasts_off(found.biases, material=told.material_bias, false_discovery=told.false_discovery)
    table = table.rename(columns={"direction": "forecasts"})
    beside = signals(found.record, within=told.hit_within) if len(found.record) else pd.DataFrame()
    columns = ["over", "under", "commit_to_pipeline"]
    table = table.join(beside.reindex(columns=columns))
    table["team"] = table["team"].map(desk.tree.name).fillna(table["team"])
    kept = ["team", "months", "forecasts", *BIAS_COLUMNS, "chance", *columns, "listed"]
    return table[kept].rename_axis("forecaster").reset_index()


def whisker_rows(desk: Desk, found: Calibration, names: pd.DataFrame) -> pd.DataFrame:
    """Lay out company, teams and listed names for a figure, `MOST_ROWS` of each: group, row, value and interval, mark."""
    groups = bias_table(desk, found).rename(columns={"name": "row"}).head(MOST_ROWS + 1)
    groups["group"] = ["Company", *["Teams"] * (len(groups) - 1)][: len(groups)]
    listed = (
        names[names["listed"].astype(bool)].sort_values("bias_ratio").rename(columns={"forecaster": "row"})
    )
    rows = pd.concat([groups, listed.assign(group="Listed")])[["group", "row", *BIAS_COLUMNS]]
    clear = (rows["ratio_low"] > 0) | (rows["ratio_high"] < 0)
    text = [f"{value:+.0%}".replace("%", " %").replace("-", "−") for value in rows["bias_ratio"]]
    return rows.assign(mark=np.where(clear, text, "")).reset_index(drop=True)


def whiskers(rows: pd.DataFrame) -> dict[str, Any]:
    """Say how `intervals` reads the rows: its columns, one look for all, and names as they are."""
    columns = {"value": "bias_ratio", "low": "ratio_low", "high": "ratio_high"}
    looks = {"meanings": dict.fromkeys(rows["row"], FIELD), "names": {one: str(one) for one in rows["row"]}}
    return {"group": "group", "row": "row", "mark": "mark", **columns, **looks}


def trial_table(desk: Desk, walked: pd.DataFrame) -> pd.DataFrame:
    """Tell whether correcting past quarters from those before them would have come nearer, by level.

    Returns
    -------
    pd.DataFrame
        Columns level, n, quarters, raw, corrected (WAPE), gain (raw - corrected), gain_low, gain_high (90 % interval over
        quarters), inside (share of actuals in the 90 % range; for single forecasts only). Above the leaves, sums of those
        who spoke.
    """
    columns = [LEVEL, "n", "quarters", RAW, CORRECTED, "gain", "gain_low", "gain_high", "inside"]
    rows = walked[walked[NODE].isin(desk.tree.leaves)]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    tree, parts = desk.tree, []
    for level in tree.level_names:
        group = rows[NODE].map(tree.ancestor(level))
        sums = (
            rows.groupby([group.rename(NODE), rows[PERIOD]])[[RAW, CORRECTED, "actual"]].sum().reset_index()
        )
        said = sums.melt([NODE, PERIOD], [RAW, CORRECTED], SOURCE, VALUE).assign(level=level, sd=np.nan)
        came = sums[[NODE, PERIOD, "actual"]].rename(columns={"actual": VALUE})
        found_sums = tally(said, came, desk.calendar.quarter_of, by=[LEVEL], sources=[RAW, CORRECTED])
        miss = found_sums.pivot_table(index=QUARTER, columns=SOURCE, values="miss")
        size = found_sums.drop_duplicates(QUARTER).set_index(QUARTER)["size"].reindex(miss.index).to_numpy()
        gains = (miss[RAW] - miss[CORRECTED]).to_numpy()[:, None]
        low, high = (float(end[0]) for end in ratio_interval(gains, size))
        wapes = miss[[RAW, CORRECTED]].sum() / size.sum()
        leaf = level == tree.level_names[-1]
        held = (
            rows["actual"].between(rows["low"], rows["high"]).where(rows["low"].notna()).mean()
            if leaf
            else np.nan
        )
        gain = wapes[RAW] - wapes[CORRECTED]
        parts.append((level, len(sums), len(size), wapes[RAW], wapes[CORRECTED], gain, low, high, held))
    return pd.DataFrame(parts, columns=columns).astype({"inside": "float64"})


def in_use(desk: Desk, field: pd.DataFrame) -> str:
    """Say which forecast the plan counts."""
    if field.empty:
        return "none was submitted"
    return CORRECTED if desk.params.collection.apply_correction else RAW


def counted_as_told(desk: Desk, field: pd.DataFrame) -> bool:
    """Tell whether the estimates that the plan takes hold the raw forecasts, or the corrected where the params say so."""
    estimates = gather_estimates(desk)
    taken = estimates[(estimates[SOURCE] == FIELD) & bool(len(field))].set_index([NODE, PERIOD])[VALUE]
    told = field.set_index([NODE, PERIOD])[CORRECTED if desk.params.collection.apply_correction else RAW]
    return bool(
        np.allclose(taken.reindex(told.index).to_numpy(dtype=np.float64), told.to_numpy(dtype=np.float64))
    )


def even_cells(stages: pd.DataFrame) -> bool:
    """Tell whether all stages of a level were measured on the same number of cells."""
    counted = stages[stages["n"] > 0]
    return bool((counted.groupby(LEVEL)["n"].min() == counted.groupby(LEVEL)["n"].max()).all())


def calibration_headline(desk: Desk, found: Calibration, names: pd.DataFrame, trial: pd.DataFrame) -> str:
    """Say in one line how far forecasts can be trusted."""
    if found.biases is None:
        return (
            "No past forecast has an actual beside it: nothing is known of how far forecasts can be trusted"
        )
    one = found.biases.company
    leaf = trial.iloc[-1] if len(trial) else None
    would = (
        f"; corrected, past forecasts miss {leaf[CORRECTED]:.1%} instead of {leaf[RAW]:.1%}"
        if leaf is not None
        else ""
    )
    return (
        f"Forecasts lie {one['bias_ratio']:+.1%} from actuals ({one['ratio_low']:+.1%} to {one['ratio_high']:+.1%}); "
        f"{int(names['listed'].sum())} of {len(names)} people forecast low or high by {desk.params.collection.material_bias:.0%} or more{would}"
    )
