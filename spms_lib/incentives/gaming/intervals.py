"""Sales around the ends of intervals, and how each payee stood when the end came near."""

from typing import Any, Final

import numpy as np
import pandas as pd

from spms_lib.errors import ParamsError
from spms_lib.incentives.gaming.effect import Effect, effect
from spms_lib.tables import need

KEYS: Final = ["payee", "interval"]
REACH: Final = 0.15  # attainment up to the next edge that the last tenth of an interval can bridge
FAR: Final = 0.4  # attainment up to the next edge that it cannot


def around_ends(
    sales: pd.DataFrame, intervals: pd.DataFrame, standings: pd.DataFrame, *, part: float = 0.1
) -> pd.DataFrame:
    """Add up what each payee sold before an interval's last days, in them, and right after them.

    Parameters
    ----------
    sales
        Columns payee, date (day that counts for pay), amount (minor units).
    intervals
        Columns interval, starts_on, ends_on (days, both included).
    standings
        One row per payee and interval that the payee worked in: payee, interval, attainment (before the
        last days; missing if not known), edge (next edge above it; missing if there is none), capped
        (bool: more sales pay nothing).
    part
        Share of an interval's days that are its last days, and as many are the first of the next.

    Returns
    -------
    pd.DataFrame
        The standings with before, late and after (sales, minor units; 0 if nothing was sold). `after` is
        missing where the payee has no standing in an interval that starts on the day after.

    Raises
    ------
    ParamsError
        If the part is not above 0 and at most a half.

    Examples
    --------
    >>> day = pd.Timestamp
    >>> quarters = pd.DataFrame({"interval": ["q1", "q2"], "starts_on": [day("2026-01-01"), day("2026-04-01")],
    ...     "ends_on": [day("2026-03-31"), day("2026-06-30")]})
    >>> days = pd.to_datetime(["2026-02-01", "2026-03-31", "2026-04-02", "2026-06-01"])
    >>> sold = pd.DataFrame({"payee": "ada", "date": days, "amount": [50, 7, 2, 40]})
    >>> stood = pd.DataFrame({"payee": "ada", "interval": ["q1", "q2"], "attainment": [0.9, 0.7],
    ...     "edge": [1.0, 1.0], "capped": False})
    >>> around_ends(sold, quarters, stood)[["before", "late", "after"]].values.tolist()
    [[50.0, 7.0, 2.0], [42.0, 0.0, nan]]
    """
    need(sales, ["payee", "date", "amount"], "sales")
    need(intervals, ["interval", "starts_on", "ends_on"], "intervals")
    need(standings, [*KEYS, "attainment", "edge", "capped"], "standings")
    if not 0 < part <= 0.5:
        raise ParamsError(f"The last days cannot be {part} of an interval.", where="part", remedy="Use 0.1.")
    spans = intervals.sort_values("starts_on", ignore_index=True)
    days = np.ceil(part * ((spans["ends_on"] - spans["starts_on"]).dt.days + 1))
    spans["late_from"] = spans["ends_on"] - pd.to_timedelta(days - 1, unit="D")
    spans["early_to"] = spans["starts_on"] + pd.to_timedelta(days - 1, unit="D")
    follows = spans["starts_on"].shift(-1) == spans["ends_on"] + pd.Timedelta(days=1)
    spans["next"] = spans["interval"].shift(-1).where(follows)
    held = pd.merge_asof(
        sales.sort_values("date", kind="stable"), spans, left_on="date", right_on="starts_on"
    )
    held = held[held["date"] <= held["ends_on"]]
    late, early = held["date"] >= held["late_from"], held["date"] <= held["early_to"]
    sums = (
        held.assign(
            before=held["amount"].where(~late, 0),
            late=held["amount"].where(late, 0),
            early=held["amount"].where(early, 0),
        )
        .groupby(KEYS)[["before", "late", "early"]]
        .sum()
    )
    keys = pd.MultiIndex.from_frame(standings[KEYS])
    told = sums.reindex(keys, fill_value=0).astype("float64")
    after = pd.MultiIndex.from_arrays(
        [standings["payee"], standings["interval"].map(spans.set_index("interval")["next"])]
    )
    return standings.assign(
        before=told["before"].to_numpy(),
        late=told["late"].to_numpy(),
        after=told["early"].reindex(after).to_numpy(),
    )


def with_incentive(rows: pd.DataFrame, *, reach: float = REACH, far: float = FAR) -> pd.DataFrame:
    """Say who stood near below an edge and who could gain nothing more; rows that cannot tell are left out.

    Returns
    -------
    pd.DataFrame
        Rows with a known attainment, with near (1.0: the next edge is at most `reach` away) and idle
        (1.0: capped, or the next edge is more than `far` away). Who has no edge above is neither.
    """
    need(rows, [*KEYS, "attainment", "edge", "capped"], "rows")
    known = rows[rows["attainment"].notna() & rows["capped"].notna()]
    gap, capped = known["edge"] - known["attainment"], known["capped"].astype(bool)
    near = (gap > 0) & (gap <= reach) & ~capped
    return known.assign(near=near.astype("float64"), idle=(capped | (gap > far)).astype("float64"))


def compared(
    rows: pd.DataFrame, *, outcome: str, incentive: str, others: list[str], direction: int, seed: int
) -> dict[str, Any]:
    """Turn an effect into the numbers of a finding, or into the note that there is too little.

    Observed is the mean outcome of the rows with the incentive, expected the same less the effect.
    """
    told = effect(rows, outcome=outcome, incentive=incentive, others=others, direction=direction, seed=seed)
    if not isinstance(told, Effect):
        return {"note": told}
    seen = float(rows.loc[rows[incentive] > 0, outcome].mean())
    return {
        "observed": seen, "expected_under_null": seen - told.size, "size": told.size, "low": told.low,
        "high": told.high, "p_value": told.p_value, "note": f"{told.payees} payees tell",
    }  # fmt: skip
