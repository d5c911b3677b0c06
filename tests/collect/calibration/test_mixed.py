"""The mixed model behind every bias: against dense algebra and an independent program."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from spms_lib.collect.calibration.mixed import NOISE, PERSON, QUARTER, TEAM, Design, components, solve


@pytest.fixture
def uneven() -> tuple[Design, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    person = np.concatenate([np.arange(12), rng.integers(0, 12, 48)])
    design = Design(
        rng.normal(size=60), person, rng.integers(0, 5, 60), rng.integers(0, 2, 60), rng.integers(0, 3, 12)
    )
    return design, np.array([0.3, 0.4, 0.2, 0.25, 0.6]), rng.uniform(0.3, 1.0, 60)


def dense(design: Design, sd: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The textbook: one large covariance matrix, generalised least squares, and conditional means of a normal."""
    n, persons = len(design.y), len(design.team)
    at = np.eye(persons)[design.person]
    home = np.eye(design.team.max() + 1)[design.team]
    same_quarter = design.quarter[:, None] == design.quarter
    same_cell = same_quarter & (design.market[:, None] == design.market)
    bias = sd[TEAM] ** 2 * home @ home.T + sd[PERSON] ** 2 * np.eye(persons)
    whole = at @ bias @ at.T + sd[QUARTER] ** 2 * same_quarter + sd[3] ** 2 * same_cell
    whole += np.diag(sd[NOISE] ** 2 / precision)
    inverse, one = np.linalg.inv(whole), np.ones(n)
    size = one @ inverse @ one
    mean = one @ inverse @ design.y / size
    pull = bias @ at.T @ inverse
    left = 1.0 - pull @ one
    variance = np.diag(bias - pull @ at @ bias) + left**2 / size
    rest = design.y - mean
    likelihood = -0.5 * (np.linalg.slogdet(whole)[1] + np.log(size) + rest @ inverse @ rest)
    return mean + pull @ rest, variance, likelihood


def test_biases_variances_and_likelihood_are_those_of_the_dense_textbook_formula(uneven) -> None:
    design, sd, precision = uneven
    found = solve(design, sd, precision)
    mean, variance, likelihood = dense(design, sd, precision)
    own = found.own_variance + ((found.pull @ found.covariance) * found.pull).sum(axis=1)
    assert found.mean == pytest.approx(mean, abs=1e-10)
    assert own == pytest.approx(variance, abs=1e-10)
    other = sd * [1.3, 0.8, 1.1, 0.9, 1.2]
    change = solve(design, other, precision).likelihood - found.likelihood
    assert change == pytest.approx(dense(design, other, precision)[2] - likelihood, abs=1e-8)


@pytest.mark.parametrize("at", range(5))
def test_the_slopes_are_those_of_the_likelihood(uneven, at: int) -> None:
    design, sd, precision = uneven
    step = np.exp(1e-5 * (np.arange(5) == at))
    ends = [solve(design, sd * factor, precision).likelihood for factor in (1 / step, step)]
    assert solve(design, sd, precision).slopes[at] == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-5)


def test_components_of_a_balanced_record_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(2)
    persons, quarters = 12, 8
    person, quarter = np.repeat(np.arange(persons), quarters), np.tile(np.arange(quarters), persons)
    y = rng.normal(0, 1.5, persons)[person] + rng.normal(0, 0.8, quarters)[quarter] + rng.normal(0, 1.0, 96)
    flat = np.zeros(96, dtype=np.int64)
    design = Design(y, person, quarter, flat, np.zeros(persons, dtype=np.int64))
    mine = components(design, np.ones(96), penalty=0.0)
    frame = pd.DataFrame({"y": y, "person": person, "quarter": quarter, "all": 0})
    parts = {"person": "0 + C(person)", "quarter": "0 + C(quarter)"}
    theirs = smf.mixedlm("y ~ 1", frame, groups="all", vc_formula=parts, re_formula="0").fit(reml=True)
    assert mine[[PERSON, QUARTER]] ** 2 == pytest.approx(theirs.vcomp, rel=0.01)
    assert mine[NOISE] ** 2 == pytest.approx(theirs.scale, rel=0.01)


def test_what_has_one_level_only_counts_as_none() -> None:
    rng = np.random.default_rng(3)
    flat = np.zeros(20, dtype=np.int64)
    design = Design(rng.normal(size=20), np.arange(20) % 5, flat, flat, np.zeros(5, dtype=np.int64))
    found = components(design, np.ones(20))
    assert (found[[TEAM, QUARTER, 3]] < 0.01 * found[NOISE]).all()
