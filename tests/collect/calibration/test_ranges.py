"""Hits and ranges: what near means, and whether stated certainty held."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spms_lib.collect.calibration.ranges import judged, place_table, stated_place, sums_by_quarter
from spms_lib.errors import ParamsError

from toys import table  # isort: skip

ROWS = """
forecast  low  high  actual  quarter
100       90   120   109     2026Q1
100       90   120   111     2026Q1
100       90   120   121     2026Q2
100       90   120   89      2026Q2
100       -    -     100     2026Q2
100       120  90    100     2026Q2
"""


def test_a_hit_lies_within_the_ratio_of_the_actual_and_a_range_holds_its_ends() -> None:
    found = judged(
        table(ROWS).astype(dict.fromkeys(["forecast", "low", "high", "actual"], float)), within=0.1
    )
    assert found["hit"].tolist() == [1, 1, 0, 0, 1, 1]
    assert found["reached"].tolist() == [1, 1, 1, 0, 1, 1]
    assert found["inside"].tolist()[:4] == [1, 1, 0, 0]
    assert found[["inside", "below", "above"]].iloc[4:].isna().all(axis=None)  # not stated, or upside down
    assert found[["below", "above"]].sum().tolist() == [1, 1]
    sums = sums_by_quarter(found.assign(all="all"), "inside", by="all")
    assert sums[["flagged", "n"]].to_numpy().tolist() == [[2, 2], [0, 2]]


def test_the_ends_of_the_range_are_the_quantiles_that_were_asked_for() -> None:
    row = pd.DataFrame(
        {"low": [80.0] * 3, "forecast": [100.0] * 3, "high": [150.0] * 3, "actual": [80.0, 100.0, 150.0]}
    )
    assert stated_place(row, range_share=0.8).tolist() == pytest.approx([0.1, 0.5, 0.9])
    below = row.assign(low=-20.0, actual=[-20.0, 100.0, 150.0])
    assert stated_place(below, range_share=0.5).tolist() == pytest.approx([0.25, 0.5, 0.75])


def test_places_are_even_where_people_know_how_uncertain_they_are_and_not_where_they_do_not() -> None:
    rng = np.random.default_rng(3)
    z = rng.standard_normal(4000)
    actual = 100 * np.exp(np.where(z < 0, 0.1, 0.3) * z)
    reach = stats.norm.ppf(0.9)
    honest = pd.DataFrame(
        {
            "forecast": 100.0,
            "actual": actual,
            "low": 100 * np.exp(-0.1 * reach),
            "high": 100 * np.exp(0.3 * reach),
        }
    )
    even = place_table(stated_place(honest, range_share=0.8))
    assert even["share"].to_numpy() == pytest.approx(0.2, abs=0.03)
    narrow = honest.assign(low=100 * np.exp(-0.04 * reach), high=100 * np.exp(0.12 * reach))
    ends = place_table(stated_place(narrow, range_share=0.8))["share"]
    assert ends.iloc[[0, -1]].min() > 0.3


def test_a_range_that_cannot_be_is_refused() -> None:
    with pytest.raises(ParamsError, match="100%"):
        stated_place(
            pd.DataFrame({"low": [1.0], "forecast": [2.0], "high": [3.0], "actual": [2.0]}), range_share=1.0
        )
