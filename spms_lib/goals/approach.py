"""Top-down, bottom-up or a blend: what the company's own past and its people's answers say."""

import pandas as pd

APPROACHES = {"top_down": "top-down", "bottom_up": "bottom-up", "blend": "blend", "baseline": "baseline"}
CLEAR_LEAD = 0.02
ENOUGH_QUARTERS = 4


def blend_sources(forecasts: pd.DataFrame, first: str, second: str, *, name: str = "blend") -> pd.DataFrame:
    """Average two sources where both have a value, as a source of its own.

    Parameters
    ----------
    forecasts
        Columns node, period, source, value.

    Returns
    -------
    pd.DataFrame
        `forecasts` with the rows of the new source below.
    """
    table = forecasts.pivot_table(index=["node", "period"], columns="source", values="value", aggfunc="sum")
    if first not in table or second not in table:
        return forecasts
    both = table[[first, second]].dropna().mean(axis=1).rename("value").reset_index()
    return pd.concat([forecasts, both.assign(source=name)], ignore_index=True)


def recommend(accuracy: pd.DataFrame, criteria: pd.DataFrame) -> pd.DataFrame:
    """Recommend an approach per level from past accuracy, and say what would overturn it.

    Evidence comes first: the approach with the smallest WAPE wins where it leads by two
    points and at least four quarters are known. Where the evidence cannot tell, the
    answers to the structured questions decide; where neither can, it says so.

    Parameters
    ----------
    accuracy
        Columns level, source (top_down, bottom_up, blend, baseline), wape (ratio),
        quarters (how many were compared).
    criteria
        Columns question, score (-2 bottom-up to 2 top-down), weight, reason, decided_by.

    Returns
    -------
    pd.DataFrame
        Columns level, recommendation, because, lead (WAPE points over the next best),
        quarters, would_change (what would overturn it).
    """
    answer = opinion(criteria)
    rows = []
    for level, group in accuracy.groupby("level", sort=False):
        eligible = group[group["source"].isin(APPROACHES)]  # a yardstick such as the naive is no approach
        ranked = eligible.dropna(subset="wape").sort_values("wape", kind="stable")
        rows.append((level, *_choose(ranked, answer)))
    return pd.DataFrame(
        rows, columns=["level", "recommendation", "because", "lead", "quarters", "would_change"]
    )


def opinion(criteria: pd.DataFrame) -> float | None:
    """Average the answers: negative speaks for bottom-up, positive for top-down; None without answers."""
    if criteria.empty or criteria["weight"].sum() == 0:
        return None
    return float((criteria["score"] * criteria["weight"]).sum() / criteria["weight"].sum())


def _choose(ranked: pd.DataFrame, answer: float | None) -> tuple[str, str, float | None, int, str]:
    quarters = int(ranked["quarters"].min()) if len(ranked) else 0
    if len(ranked) >= 2:
        best, second = ranked.iloc[0], ranked.iloc[1]
        lead = float(second["wape"] - best["wape"])
        facts = (
            f"{APPROACHES[best['source']]} missed by {best['wape']:.1%}, {APPROACHES[second['source']]} by "
            f"{second['wape']:.1%}, over {quarters} quarters"
        )
        if lead >= CLEAR_LEAD and quarters >= ENOUGH_QUARTERS:
            change = (
                f"a lead of {APPROACHES[second['source']]} over the next quarters by more than {lead:.1%}"
            )
            return APPROACHES[best["source"]], facts, lead, quarters, change
        too_little = f"{facts}: too close" if quarters >= ENOUGH_QUARTERS else f"{facts}: too short a history"
    elif len(ranked) == 1:
        lead, too_little = None, f"only {APPROACHES[ranked.iloc[0]['source']]} has a past to compare"
    else:
        lead, too_little = None, "no past forecast or target to compare"
    return (
        *_from_answers(answer, too_little),
        lead,
        quarters,
        "four more quarters of targets and submissions on record",
    )


def _from_answers(answer: float | None, evidence: str) -> tuple[str, str]:
    if answer is None:
        return "cannot tell", f"{evidence}; the questions are not answered"
    choice = "top-down" if answer > 0.5 else "bottom-up" if answer < -0.5 else "blend"
    return choice, f"{evidence}; the answers average {answer:+.1f} (-2 bottom-up, +2 top-down)"
