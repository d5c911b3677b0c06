"""Made-up companies of any size: company > region > team > seller, uneven, from a seed."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PERIODS = [f"2026-{month:02d}" for month in range(1, 13)]


def parents_of(children: int, parents: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Give every parent one child and the rest at random, so that teams differ in size."""
    rest = rng.integers(0, parents, children - parents)
    return np.sort(np.concatenate([np.arange(parents), rest]))


def company(sellers: int, seed: int = 0) -> pd.DataFrame:
    """Build the wide organisation chart.

    Returns
    -------
    pd.DataFrame
        One row per seller: company, region (sellers / 200 of them), team (sellers / 10),
        seller (ids) and weight (lognormal, as sales are).
    """
    rng = np.random.default_rng(seed)
    regions, teams = max(2, sellers // 200), max(2, sellers // 10)
    region_of_team = parents_of(teams, regions, rng)
    team_of_seller = parents_of(sellers, teams, rng)
    return pd.DataFrame(
        {
            "company": "company",
            "region": ids("region", regions)[region_of_team[team_of_seller]],
            "team": ids("team", teams)[team_of_seller],
            "seller": ids("seller", sellers),
            "weight": rng.lognormal(4.0, 1.0, sellers),
        }
    )


def ids(prefix: str, count: int) -> NDArray[np.object_]:
    return np.array([f"{prefix}-{number:07d}" for number in range(count)], dtype=object)


def parent_child(wide: pd.DataFrame) -> pd.DataFrame:
    """Turn the wide chart into a table of nodes, parents and levels, in random order as in an export."""
    levels = ["company", "region", "team", "seller"]
    parts = [pd.DataFrame({"node": ["company"], "parent": [None], "level": ["company"]})]
    for above, level in pairwise(levels):
        part = wide[[level, above]].drop_duplicates()
        parts.append(part.set_axis(["node", "parent"], axis=1).assign(level=level))
    return pd.concat(parts, ignore_index=True).sample(frac=1.0, random_state=1, ignore_index=True)
