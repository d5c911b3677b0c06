"""The study over sample companies, in short: biases are found, names are right, corrections help. Bounds can fail."""

import pytest

from benchmarks.calibration import pooled_ratio, said_and_came, study, wape
from spms_lib.collect.calibration.correct import walk_forward
from spms_lib.sample.build import make_world


@pytest.fixture(scope="module")
def found():
    return study(6)


def test_the_truth_is_recovered_with_honest_intervals(found) -> None:
    mean = found[0].mean()
    assert mean["correlation"] > 0.88
    assert 0.84 < mean["covered"] < 0.96
    assert abs(mean["error"]) < 0.02


def test_few_of_the_names_listed_are_wrong_and_most_that_should_be_are_listed(found) -> None:
    mean = found[0].mean()
    assert mean["wrong"] <= 0.1
    assert mean["power"] > 0.55


def test_corrected_forecasts_come_nearer_than_raw_ones_and_no_further_than_the_pooled_ratio(found) -> None:
    table = wape(found[1])
    assert (table["corrected"] < table["raw"] + 0.002).all()
    assert table.loc["leaf", "corrected"] < 0.9 * table.loc["leaf", "raw"]
    assert (table["corrected"] < table["pooled"] + 0.002).all()


def test_sums_are_not_too_sure(found) -> None:
    mean = found[0].mean()
    assert mean["inside_company"] >= 0.85
    assert mean["inside_company"] > mean["inside_if_independent"]
    assert 0.85 < mean["inside_leaf"] < 0.96


def test_the_pooled_ratio_is_that_of_the_other_package() -> None:
    pytest.importorskip("b2b_revenue_forecasting")
    from benchmarks.calibration import theirs

    record = said_and_came(make_world(seed=3, sellers=12), 3, 4)
    groups = dict.fromkeys(record["node"], "all")
    walk = walk_forward(record, team=groups, market=groups)
    assert theirs(record, walk) == pytest.approx(pooled_ratio(record, walk) * walk["raw"], abs=0.01)
