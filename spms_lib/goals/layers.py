"""Layers of the company's number: what the board is promised, what is planned, what the street is asked."""

from itertools import pairwise
from typing import Final

import pandas as pd

from spms_lib.errors import ParamsError
from spms_lib.goals.chances import chance_of_reaching

BOARD, PLAN, STREET = "board", "plan", "street"
LAYERS: Final = (BOARD, PLAN, STREET)


def layer_table(
    amounts: dict[str, int],
    confidence: dict[str, float | None],
    history: pd.Series,
    *,
    steps: int,
) -> pd.DataFrame:
    """Set the layers of the company's number beside each other, with stated and computed chances.

        attainment factor AF = plan / layer      over-assignment OA = layer / plan = 1 / AF

    So the street row says which part of the street's quotas makes the plan.

    Parameters
    ----------
    amounts
        Layer (board, plan, street): whole minor units, rising in this order; the plan must be
        there, the others may be missing.
    confidence
        Layer: stated probability of reaching it; missing where nobody has said.
    history
        Past totals in minor units in order of time, up to the period before; may be empty.
    steps
        Periods of growth compared, as for `chance_of_reaching`.

    Returns
    -------
    pd.DataFrame
        Columns layer, amount (int64 minor units), confidence (stated), chance (from past
        growth alone; missing without enough history), attainment_factor, over_assignment (ratios).

    Raises
    ------
    ParamsError
        If the plan is missing or not positive, a layer is unknown, a higher layer has the
        smaller amount, or a higher amount the higher stated confidence.

    References
    ----------
    Street quota, attainment factor and over-assignment as sales capacity planning has them.

    Examples
    --------
    >>> table = layer_table({"plan": 800_000_00, "street": 1_000_000_00}, {}, pd.Series(dtype=float), steps=4)
    >>> table[["layer", "attainment_factor", "over_assignment"]].values.tolist()
    [['plan', 1.0, 1.0], ['street', 0.8, 1.25]]
    """
    unknown = [name for name in [*amounts, *confidence] if name not in LAYERS]
    if unknown:
        raise ParamsError(
            f"There is no layer '{unknown[0]}'.", where="layers", remedy=f"Layers: {', '.join(LAYERS)}."
        )
    if amounts.get(PLAN, 0) <= 0:
        raise ParamsError(
            "The layers have no positive plan.", where="layers", remedy="Set the company's target first."
        )
    there = [name for name in LAYERS if name in amounts]
    _refuse_disorder(there, amounts, confidence)
    chances = [chance_of_reaching(history, float(amounts[name]), steps=steps) for name in there]
    table = pd.DataFrame(
        {
            "layer": there,
            "amount": pd.Series([amounts[name] for name in there], dtype="int64"),
            "confidence": pd.Series([confidence.get(name) for name in there], dtype=float),
            "chance": pd.Series(chances, dtype=float),
        }
    )
    plan = amounts[PLAN]
    return table.assign(attainment_factor=plan / table["amount"], over_assignment=table["amount"] / plan)


def disagreements(layers: pd.DataFrame, *, margin: float = 0.15) -> list[str]:
    """Say in a sentence each where stated confidence and computed chance of a layer are far apart.

    Parameters
    ----------
    layers
        From `layer_table`.
    margin
        Largest difference, as a ratio, that is not worth a sentence; 0.15 is 15 points.

    Examples
    --------
    >>> table = pd.DataFrame({"layer": ["board"], "confidence": [0.9], "chance": [0.62]})
    >>> disagreements(table)
    ['The board layer is stated at 90%, but past growth gives it 62%: too confident by 28 points.']
    """
    said = layers.dropna(subset=["confidence", "chance"])
    gaps = said["confidence"] - said["chance"]
    return [
        f"The {row['layer']} layer is stated at {row['confidence']:.0%}, but past growth gives it "
        f"{row['chance']:.0%}: too {'confident' if gap > 0 else 'careful'} by {abs(gap) * 100:.0f} points."
        for row, gap in zip(said.to_dict("records"), gaps, strict=True)
        if abs(gap) > margin + 1e-9
    ]


def _refuse_disorder(there: list[str], amounts: dict[str, int], confidence: dict[str, float | None]) -> None:
    for low, high in pairwise(there):
        if amounts[low] > amounts[high]:
            raise ParamsError(
                f"The {low} layer ({amounts[low]:,}) lies above the {high} layer ({amounts[high]:,}), in minor units.",
                where="layers",
                remedy=f"Lower the {low} layer or raise the {high} layer: board <= plan <= street.",
            )
    stated = [name for name in there if confidence.get(name) is not None]
    for low, high in pairwise(stated):
        if (confidence[low] or 0.0) < (confidence[high] or 0.0):
            raise ParamsError(
                f"The {low} layer is stated at {confidence[low]:.0%}, below the {high} layer's {confidence[high]:.0%}.",
                where="layers",
                remedy="The larger amount cannot be the more likely one; correct one of the two.",
            )
