"""The recommendation against the truth of generated companies: a small version of `python -m benchmarks.approach`."""

import sys

import numpy as np
import pandas as pd
import pytest

from spms_lib.cycle.past import past_of
from spms_lib.sample.build import make_world
from spms_lib.sample.sales import relive

from toys import ROOT  # isort: skip

SELLERS = 14


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        from benchmarks import approach

        yield approach
        for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
            del sys.modules[name]


def test_in_two_companies_what_is_recommended_is_never_far_from_the_true_best(benchmark) -> None:
    """In fifty companies of forty sellers the leaning costs a tenth of a WAPE point; always top-down costs four."""
    found = benchmark.study(2, sellers=SELLERS, next_lives=1, again_lives=1)
    assert len(found) == 8
    again = benchmark.summary(found, "again").loc["all levels"]
    assert again["regret_rule"] < 2.0
    assert again["regret_rule"] < again["regret_top_down"]
    assert again[[name for name in again.index if name.startswith("best_")]].sum() == pytest.approx(1.0)


def test_the_comparison_with_truth_counts_as_it_says(benchmark) -> None:
    """Two cases: one clear and right, one unclear whose leaning costs two points; the careful rule takes the blend."""
    true = {
        "top_down": [0.20, 0.20],
        "bottom_up": [0.10, 0.12],
        "blend": [0.12, 0.10],
        "baseline": [0.3, 0.3],
    }
    found = pd.DataFrame(
        {
            "level": "region",
            "recommendation": ["bottom-up", "cannot tell"],
            "leaning": ["bottom-up", "bottom-up"],
            "contenders": ["bottom-up", "bottom-up, blend"],
            **{f"next_{name}": values for name, values in true.items()},
        }
    )
    one = benchmark.summary(found, "next").loc["all levels"]
    assert one[["clear", "right_clear", "leaning_right", "near"]].tolist() == [0.5, 1.0, 0.5, 0.5]
    assert one[["regret_rule", "regret_careful"]].tolist() == pytest.approx([1.0, 0.0])
    assert one[["regret_top_down", "regret_bottom_up", "regret_blend"]].tolist() == pytest.approx(
        [10.0, 1.0, 1.0]
    )


def test_a_life_lived_again_keeps_the_past_and_what_a_seat_should_sell(benchmark) -> None:
    world = make_world(seed=3, sellers=SELLERS)
    again = relive(np.random.default_rng(1), world.company, world.sales, since=36)
    assert (again.total[:, :36] == world.sales.total[:, :36]).all()
    assert (again.expected == world.sales.expected).all()
    assert not (again.total[:, 36:39] == world.sales.total[:, 36:39]).all()
    many = [
        relive(np.random.default_rng(seed), world.company, world.sales, since=0).total[:, :36].sum()
        for seed in range(60)
    ]
    calm = (world.sales.expected * shocks(world))[:, :36].sum()
    assert np.mean(many) == pytest.approx(calm, rel=0.01)


def shocks(world) -> np.ndarray:
    from spms_lib.sample.sales import _shocks

    return _shocks()[world.company.seat_region, np.arange(world.sales.expected.shape[1])]


def test_the_world_in_memory_is_the_one_that_was_written(benchmark) -> None:
    """Sales and targets from raw files through the desk equal those of the generator, but for a few soiled rows."""
    world = make_world(seed=5, sellers=SELLERS)
    with benchmark.sample_desk(5, SELLERS) as desk:
        past = past_of(desk)
    came = past.sold
    known = benchmark.sold(world, 36).reindex(index=past.tree.leaves, columns=came.columns)
    assert np.isclose(came.fillna(0), known.fillna(0), rtol=1e-6).mean() > 0.97
    given = benchmark.stated(past.tree, world, 5, "2026-06")[past.targets.columns]
    ratio = given.loc[past.targets.index] / past.targets
    assert ratio.loc[past.tree.root].to_numpy() == pytest.approx(1.0)
    assert float((ratio - 1).abs().max().max()) < 0.005  # targets are rounded to hundreds
    assert (ratio.notna() == past.targets.notna()).all(axis=None)
