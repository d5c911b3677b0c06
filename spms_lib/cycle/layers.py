"""Layers of the company's number in one cycle: from params and history to a table, and in the ledger."""

import json
from typing import Final

import pandas as pd

from spms_lib.cycle.desk import Desk
from spms_lib.cycle.targets import GROWTH, company_target, quarter_history
from spms_lib.errors import ParamsError
from spms_lib.goals.chances import amount_reached_with, likely_amounts
from spms_lib.goals.layers import BOARD, LAYERS, PLAN, STREET, layer_table
from spms_lib.money import to_minor
from spms_lib.params.goals import Layer
from spms_lib.store.commits import Commit
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE

ITEM: Final = "layer "
GOAL_DEFAULTS: Final[dict[str, str | float]] = {
    "target_from": GROWTH,
    "growth_ratio": 0.08,
    "stated_target": 0.0,
}
"""Defaults of the goal notebook's parameters that set the company's target; a test holds both to each other."""


def planned_target(desk: Desk) -> tuple[int, str]:
    """Find the company's target as the goal notebook will set it: see `company_target`.

    The cycle states its parameters once, for the notebook `goal_setting`; they count here too.
    """
    told = {**GOAL_DEFAULTS, **desk.params.notebooks.get("goal_setting", {})}
    return company_target(
        desk,
        target_from=str(told["target_from"]),
        growth_ratio=float(told["growth_ratio"]),
        stated_target=float(told["stated_target"]),
    )


def company_layers(desk: Desk, target: int, *, street: int | None = None) -> pd.DataFrame:
    """Set board, plan and street of the quarter beside each other: see `layer_table`.

    Parameters
    ----------
    target
        The company's target, minor units.
    street
        Sum of the leaves' quotas, minor units, once they are set. Before that the params say
        it, or the plan x the over-assignment of every level, as set.

    Returns
    -------
    pd.DataFrame
        As `layer_table`, and origin (where the amount comes from, in words).

    Raises
    ------
    ParamsError
        If the layers are out of order, or a board by confidence has too little history.
    """
    history = current_history(desk)
    told = {name: Layer() for name in LAYERS} | {str(name): one for name, one in desk.params.layers.items()}
    plan, origin = _stated(desk, told[PLAN], target) or (target, "the company's target")
    found = {PLAN: (plan, origin)}
    if BOARD in desk.params.layers:
        found[BOARD] = _stated(desk, told[BOARD], target) or _by_confidence(told[BOARD], history)
    if street is not None:
        found[STREET] = street, "sum of the leaves' quotas"
    else:
        found[STREET] = _stated(desk, told[STREET], target) or _as_set(desk, plan)
    amounts = {name: found[name][0] for name in LAYERS if name in found}
    table = layer_table(amounts, {name: told[name].confidence for name in amounts}, history, steps=4)
    return table.assign(origin=[found[name][1] for name in table["layer"]])


def likely_quarter(desk: Desk) -> pd.DataFrame:
    """Trace how likely each amount of the quarter is by past growth: see `likely_amounts`."""
    return likely_amounts(current_history(desk), steps=4)


def current_history(desk: Desk) -> pd.Series:
    """Return the company's past quarters; none if the quarter before the planned one is not known."""
    history = quarter_history(desk)
    known = len(history) and history.index[-1] == desk.calendar.shift(desk.cycle, -1)
    return history if known else history.head(0)


def commit_layers(desk: Desk, layers: pd.DataFrame) -> Commit | None:
    """Commit each layer as a version of the company's number; None if the ledger holds them already.

    A layer that is gone from the params is withdrawn.
    """
    said = [
        json.dumps(
            {"confidence": None if pd.isna(row["confidence"]) else row["confidence"], "origin": row["origin"]}
        )
        for row in layers.to_dict("records")
    ]
    now = pd.DataFrame(
        {
            "item": ITEM + layers["layer"],
            VALUE: layers["amount"].astype("Int64"),
            "unit": desk.currency,
            "text": said,
            "withdrawn": False,
        }
    )
    gone = sorted(set(_cells(desk)["item"]) - set(now["item"]))
    left = pd.DataFrame({"item": gone, VALUE: pd.array([None] * len(gone), dtype="Int64"), "withdrawn": True})
    cells = pd.concat([now, left], ignore_index=True) if gone else now
    return desk.ledger.commit(
        "targets",
        cells.assign(**{NODE: desk.tree.root, PERIOD: desk.cycle, MEASURE: desk.company.measure}),
        author=desk.author,
        message=f"{desk.cycle}: layers of the company's number",
    )


def read_layers(desk: Desk, *, as_of: str | None = None) -> pd.DataFrame:
    """Read the layers of the quarter from the ledger: layer, amount, confidence, origin, author, time.

    Parameters
    ----------
    as_of
        A moment of the ledger; now where left out.
    """
    cells = _cells(desk, as_of=as_of)
    said = [json.loads(text) for text in cells["text"]]
    table = pd.DataFrame(
        {
            "layer": cells["item"].str.removeprefix(ITEM),
            "amount": cells[VALUE].astype("int64"),
            "confidence": pd.Series([one["confidence"] for one in said], dtype=float),
            "origin": [one["origin"] for one in said],
            "author": cells["author"],
            "time": cells["time"],
        }
    )
    return table.set_index("layer").reindex([n for n in LAYERS if n in set(table["layer"])]).reset_index()


def _cells(desk: Desk, *, as_of: str | None = None) -> pd.DataFrame:
    state = desk.ledger.state("targets", as_of=as_of)
    mine = (state[PERIOD] == desk.cycle) & (state[MEASURE] == desk.company.measure)
    return state[mine & state["item"].str.startswith(ITEM)].reset_index(drop=True)


def _stated(desk: Desk, layer: Layer, target: int) -> tuple[int, str] | None:
    if layer.amount is not None:
        return to_minor(layer.amount, desk.per_unit), "stated in the params"
    if layer.of_target is not None:
        return round(target * layer.of_target), f"{layer.of_target:.1%} of the company's target"
    return None


def _by_confidence(layer: Layer, history: pd.Series) -> tuple[int, str]:
    amount = amount_reached_with(history, float(layer.confidence or 0.0), steps=4)
    if amount is None:
        raise ParamsError(
            "The board layer has a confidence only, and there is too little history to turn it into an amount.",
            where="layers.board",
            remedy="Give it an amount or of_target.",
        )
    return round(amount), f"reached with {layer.confidence:.0%} by past growth"


def _as_set(desk: Desk, plan: int) -> tuple[int, str]:
    factor = 1.0
    for ratio in desk.params.over_assignment.values():
        factor *= 1.0 + ratio
    return round(
        plan * factor
    ), "the plan x over-assignment as set" if factor != 1.0 else "the plan: no over-assignment"
