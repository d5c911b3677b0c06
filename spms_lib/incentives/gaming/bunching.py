"""Bunching: whether more payees end just above a tier edge than a smooth distribution puts there."""

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.errors import ParamsError
from spms_lib.incentives.gaming.density import (
    DEGREE,
    EXACT,
    Smooth,
    at_edges,
    bin_starts,
    count_law,
    fit_smooth,
)
from spms_lib.incentives.gaming.found import found
from spms_lib.tables import need

LEAST_EXPECTED: Final = 5.0
LEAST_PAIR: Final = 20

_DENSITY: Final = (
    "window [edge, edge + {w:g}); expected from a smooth density (log polynomial of degree "
    f"{DEGREE}) fitted outside the edges; null: counts Poisson about it, fit uncertain, "
    "one-sided p, 95% interval of observed - expected"
)
_PAIR: Final = (
    "[edge, edge + {w:g}) against [edge - {w:g}, edge); null: binomial with the share above that the smooth "
    "density gives; one-sided exact p, 95% Clopper-Pearson interval"
)


def bunching(payees: pd.DataFrame, edges: pd.DataFrame, *, window: float = 0.02) -> pd.DataFrame:
    """Count who ends just above each tier edge, against a smooth distribution and against just below.

    Two null models, both without any pull of the edge. `bunching`: the density is smooth, a log
    polynomial fitted outside three windows below and two above every edge; the count in the window
    is Poisson about it, widened by the uncertainty of the fit and by any misfit elsewhere. `just
    above`: given how many end in the two windows beside the edge, how many are above is binomial
    with the share of the smooth density. Effort that the edge calls forth also bunches: the test
    tells that payees react to the edge, not by which means.

    Parameters
    ----------
    payees
        One row per payee and interval: attainment (actual by quota; missing is left out and counted);
        target_incentive (minor units), if given, puts money on a jump.
    edges
        edge (attainment), jump (pay for crossing it, ratio of target incentive), slope_before and
        slope_after (payout ratio per attainment ratio), clause; from the surface of the plan.
    window
        Width of the window, in attainment.

    Returns
    -------
    pd.DataFrame
        Two findings per edge, see `found.COLUMNS`. Of `bunching` the size is payees above expectation, and
        money the pay that the jump adds for them (minor units, estimate); of `just above` the size is a
        difference of shares, since nobody can tell from it how far payees moved. Judge them all together by `found.judge`.

    Raises
    ------
    ParamsError
        If the window is not positive.

    References
    ----------
    Kleven (2016), Bunching, Annual Review of Economics.
    """
    need(payees, ["attainment"], "payees")
    need(edges, ["edge", "jump", "slope_before", "slope_after", "clause"], "edges")
    if not window > 0:
        raise ParamsError(f"A window of {window} holds nobody.", where="window", remedy="Use 0.02.")
    if edges.empty:
        return found([])
    known = payees[payees["attainment"].notna()]
    values = known["attainment"].to_numpy(dtype="float64") + EXACT
    smooth = fit_smooth(values, edges["edge"].to_numpy(dtype="float64"), window)
    absent = len(payees) - len(known)
    left_out = f"{absent} without an attainment are not counted" if absent else ""
    rows: list[dict[str, Any]] = []
    for edge in edges.to_dict("records"):
        at = float(edge["edge"])
        above, below = (values >= at) & (values < at + window), (values >= at - window) & (values < at)
        pay = float("nan")
        if "target_incentive" in known and edge["jump"]:
            pay = float(edge["jump"]) * float(known["target_incentive"][above | below].mean())
        for told in (
            _density(smooth, at, window, int(above.sum()), pay),
            _pair(smooth, at, window, int(above.sum()), int(below.sum())),
        ):
            note = "; ".join(part for part in (told["note"], left_out) if part)
            rows.append(told | {"where": f"edge {at:.6g}", "plan_feature": _feature(edge), "note": note})
    return found(rows)


def bunching_curve(payees: pd.DataFrame, edges: pd.DataFrame, *, window: float = 0.02) -> pd.DataFrame:
    """Lay the smooth density beside what was seen, bin by bin, for the figure of bunching.

    Parameters
    ----------
    payees, edges, window
        As in `bunching`.

    Returns
    -------
    pd.DataFrame
        Columns start and stop (attainment), observed, expected, low and high (95 % interval of a
        count under the null), at_edge (bool, left out of the fit). Empty where there are too few.
    """
    need(payees, ["attainment"], "payees")
    values = payees["attainment"].dropna().to_numpy(dtype="float64") + EXACT
    places = edges["edge"].to_numpy(dtype="float64")
    smooth = fit_smooth(values, places, window)
    columns = ["start", "stop", "observed", "expected", "low", "high", "at_edge"]
    if smooth.unfit:
        return pd.DataFrame(columns=columns)
    starts = bin_starts(places, window)
    rows = []
    for start, at_edge in zip(starts, at_edges(starts, places, window), strict=True):
        mean, variance = smooth.expected(np.array([start]), window / 2)
        law = count_law(mean, smooth.dispersion * mean + variance)
        seen = int(((values >= start) & (values < start + window / 2)).sum())
        rows.append((start, start + window / 2, seen, mean, *law.ppf([0.025, 0.975]), bool(at_edge)))
    return pd.DataFrame(rows, columns=columns)


def _density(smooth: Smooth, edge: float, window: float, above: int, pay: float) -> dict[str, Any]:
    mean, variance = smooth.expected(edge + np.array([0, window / 2]), window / 2)
    few = f"too few to tell: less than {LEAST_EXPECTED:g} payees are expected there"
    row: dict[str, Any] = {
        "detector": "bunching", "statistic": "payees just above the edge",
        "convention": _DENSITY.format(w=window), "note": smooth.unfit or (few if mean < LEAST_EXPECTED else ""),
    }  # fmt: skip
    if row["note"]:
        return row
    law = count_law(mean, smooth.dispersion * mean + variance)
    wide = f"the smooth density fits poorly: variance taken {smooth.dispersion:.1f} times as large"
    return row | {
        "observed": above, "expected_under_null": mean, "size": above - mean, "low": above - law.ppf(0.975),
        "high": above - law.ppf(0.025), "p_value": law.sf(above - 1), "money": max(above - mean, 0.0) * pay,
        "note": wide if smooth.dispersion > 1.5 else "",
    }  # fmt: skip


def _pair(smooth: Smooth, edge: float, window: float, above: int, below: int) -> dict[str, Any]:
    both = above + below
    few = f"too few to tell: {both} payees beside the edge, {LEAST_PAIR} are needed"
    row: dict[str, Any] = {
        "detector": "just above", "statistic": "share above, of those beside the edge",
        "convention": _PAIR.format(w=window), "note": smooth.unfit or (few if both < LEAST_PAIR else ""),
    }  # fmt: skip
    if row["note"]:
        return row
    half = window / 2
    up, down = (smooth.expected(start + np.array([0, half]), half)[0] for start in (edge, edge - window))
    share, seen = up / (up + down), above / both
    inner = stats.binomtest(above, both).proportion_ci(0.95, "exact")
    test = stats.binomtest(above, both, share, alternative="greater")
    return row | {
        "observed": seen, "expected_under_null": share, "size": seen - share, "low": inner.low - share,
        "high": inner.high - share, "p_value": test.pvalue,
    }  # fmt: skip


def _feature(edge: dict[Any, Any]) -> str:
    """Name what the plan does at an edge, and where it says so."""
    jump, before, after = (float(edge[name]) for name in ("jump", "slope_before", "slope_after"))
    parts = [f"pay jumps by {jump:.4g} of target incentive"] if jump else []
    parts += [f"rate {before:.4g} below, {after:.4g} above"] if before != after else []
    return f"{'; '.join(parts) or 'nothing changes here'} ({edge['clause']})"
