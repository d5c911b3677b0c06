"""The reconciled plan: laws of coherence, holds and attribution, and numbers of independent programs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.commitments import check_conservation, conservation_gaps
from spms_lib.errors import InfeasibleError, TableError
from spms_lib.hierarchy import Hierarchy
from spms_lib.reconcile.explain import explain
from spms_lib.reconcile.gaps import gap_table
from spms_lib.reconcile.plan import reconcile

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
COLUMNS = ["node", "period", "source", "value", "variance"]


def rows(*given_: tuple) -> pd.DataFrame:
    return pd.DataFrame(given_, columns=COLUMNS)


def held(**values: float) -> pd.DataFrame:
    return pd.DataFrame(
        [(node, "p", value) for node, value in values.items()], columns=["node", "period", "value"]
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Hierarchy, pd.DataFrame, pd.DataFrame]:
    """A ragged tree, three sources that speak of some nodes in two periods, and holds on nodes of one path."""
    size = draw(st.integers(2, 20))
    parents = [None] + [f"n{draw(st.integers(0, i - 1))}" for i in range(1, size)]
    tree = Hierarchy.from_parent_child(
        pd.DataFrame({"node": [f"n{i}" for i in range(size)], "parent": parents})
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    grid = pd.MultiIndex.from_product(
        [tree.nodes, ["p", "q"], ["target", "field", "baseline"]], names=COLUMNS[:3]
    )
    spoken = grid[rng.random(len(grid)) < draw(st.floats(0.2, 1.0))]
    if not {"p", "q"} <= set(spoken.get_level_values("period")):
        spoken = grid
    estimates = pd.DataFrame(index=spoken).reset_index()
    scale = 10.0 ** draw(st.integers(2, 11))
    estimates["value"] = rng.normal(1.0, 0.5, len(estimates)) * scale
    estimates["variance"] = (rng.uniform(0.01, 0.6, len(estimates)) * scale) ** 2
    estimates.loc[rng.random(len(estimates)) < 0.1, "variance"] = np.inf
    holds = pd.DataFrame(
        [
            (node, period, int(rng.normal(1.0, 0.5) * scale))
            for node in tree.path(tree.nodes[int(rng.integers(size))])
            for period in ("p", "q")
            if rng.random() < 0.4 and (node == tree.root or len(tree.children(tree.path(node)[-2])) > 1)
        ],
        columns=["node", "period", "value"],
    )
    return tree, estimates, holds


def feasible(tree: Hierarchy, holds: pd.DataFrame) -> bool:
    """A held parent needs a free leaf below it: an only child cannot carry another number."""
    for period, group in holds.groupby("period"):
        stuck = set(group["node"])
        for node in reversed(tree.nodes):
            children = tree.children(node)
            if len(children) and all(child in stuck for child in children):
                if node in stuck:
                    return False
                stuck.add(node)
        assert period
    return True


@given(cases())
def test_contributions_sum_to_the_plan_and_rounding_stays_below_one_unit(case: tuple) -> None:
    tree, estimates, holds = case
    holds = holds if feasible(tree, holds) else holds.head(0)
    plan = reconcile(tree, estimates, holds=holds)
    parts = plan.contributions.pivot_table(
        index="node", columns=["period", "source"], values="value", aggfunc="sum"
    )
    for period in ("p", "q"):
        mine = parts[period].reindex(tree.nodes)
        assert (mine.sum(axis=1) - plan.commitments[period]).abs().max() < 0.005 + 1e-12 * mine.abs().max(
            axis=None
        )
        # if the sources and holds did not add up to the plan by themselves, rounding would hide it
        assert mine["rounding"].abs().max() <= 1.0 + 1e-9 * mine.abs().max(axis=None)
    assert not conservation_gaps(tree, plan.commitments.to_numpy()).any()


@settings(max_examples=40)
@given(cases())
def test_a_hold_never_moves_and_takes_no_rounding(case: tuple) -> None:
    tree, estimates, holds = case
    holds = holds if feasible(tree, holds) else holds.head(0)
    plan = reconcile(tree, estimates, holds=holds)
    for row in holds.itertuples():
        assert plan.commitments.loc[row.node, row.period] == row.value
        assert plan.spread.loc[row.node, row.period] == 0.0
        assert explain(plan, row.node, [row.period]).set_index("source").loc[
            "hold", "value"
        ] == pytest.approx(row.value)


@settings(max_examples=30)
@given(cases())
def test_coherent_estimates_stay_put(case: tuple) -> None:
    tree, estimates, _ = case
    leaves = pd.DataFrame(
        np.random.default_rng(len(estimates)).normal(100, 40, (len(tree.leaves), 2)), tree.leaves, ["p", "q"]
    )
    truth = tree.roll_up(leaves)
    told = estimates.assign(
        value=[
            truth.loc[node, period]
            for node, period in zip(estimates["node"], estimates["period"], strict=True)
        ]
    )
    leaf = pd.DataFrame(
        index=pd.MultiIndex.from_product([tree.leaves, ["p", "q"]], names=["node", "period"])
    ).reset_index()
    leaf["value"] = [
        truth.loc[node, period] for node, period in zip(leaf["node"], leaf["period"], strict=True)
    ]
    both = pd.concat([told, leaf.assign(source="extra", variance=7.0)])
    answer = reconcile(tree, both).values.loc[tree.nodes, ["p", "q"]]
    assert answer.to_numpy() == pytest.approx(truth.to_numpy(), rel=1e-9, abs=1e-6)


def test_bottom_up_leaves_the_leaves_alone_and_sums_them() -> None:
    plan = reconcile(
        TREE, rows(*((leaf, "p", "field", 10.0 * i, 4.0 + i) for i, leaf in enumerate(TREE.leaves)))
    )
    assert plan.commitments["p"].to_dict() == {
        "toy": 100, "north": 10, "south": 90, "anna": 0, "ben": 10, "carl": 20, "dora": 30, "emil": 40,
    }  # fmt: skip


def test_a_missing_estimate_is_not_a_zero() -> None:
    """Ben has said nothing: he carries the rest of his region, and is not pulled to zero."""
    plan = reconcile(
        TREE,
        rows(
            ("north", "p", "target", 100.0, 1.0),
            ("anna", "p", "field", 60.0, 1.0),
            ("south", "p", "target", 30.0, 1.0),
        ),
    )
    assert plan.commitments.loc[["anna", "ben"], "p"].tolist() == [60, 40]
    zero = rows(
        ("north", "p", "target", 100.0, 1.0),
        ("anna", "p", "field", 60.0, 1.0),
        ("ben", "p", "field", 0.0, 1.0),
        ("south", "p", "target", 30.0, 1.0),
    )
    assert reconcile(TREE, zero).commitments.loc["ben", "p"] == 13


def test_a_node_of_which_nothing_is_known_is_infinitely_uncertain() -> None:
    spread = reconcile(TREE, rows(("toy", "p", "target", 90.0, 9.0))).spread["p"]
    assert spread["toy"] == 3.0
    assert np.isinf(spread["anna"])


def test_two_sources_of_a_node_count_by_their_precision() -> None:
    plan = reconcile(
        Hierarchy.from_parent_child(pd.DataFrame({"node": ["all"], "parent": [None]})),
        rows(("all", "p", "target", 100.0, 1.0), ("all", "p", "field", 50.0, 4.0)),
    )
    assert plan.values.loc["all", "p"] == pytest.approx(90.0)
    assert explain(plan, "all", ["p"]).set_index("source")["value"].to_dict() == pytest.approx(
        {"target": 80.0, "field": 10.0, "hold": 0.0, "rounding": 0.0}
    )


def test_the_order_of_estimates_and_of_periods_does_not_matter() -> None:
    given_ = rows(
        ("toy", "q", "target", 90.0, 9.0), ("anna", "p", "field", 60.0, 2.0),
        ("toy", "p", "target", 100.0, 9.0), ("ben", "q", "field", 50.0, 3.0),
    )  # fmt: skip
    one, other = reconcile(TREE, given_), reconcile(TREE, given_.iloc[::-1])
    pd.testing.assert_frame_equal(one.commitments, other.commitments)
    assert list(one.commitments) == ["p", "q"]


def test_estimates_given_are_not_changed() -> None:
    given_ = rows(("toy", "p", "target", 100.0, 9.0), ("anna", "p", "field", 60.0, 2.0))
    before, holds = given_.copy(), held(anna=10)
    reconcile(TREE, given_, holds=holds)
    pd.testing.assert_frame_equal(given_, before)
    pd.testing.assert_frame_equal(holds, held(anna=10))


def test_every_cent_is_kept_at_a_trillion() -> None:
    leaves = rows(*((leaf, "p", "field", 1e14 / 3, 1e20) for leaf in TREE.leaves))
    plan = reconcile(TREE, leaves, holds=held(toy=100_000_000_000_001))
    check_conservation(TREE, plan.commitments.to_numpy())
    assert plan.commitments.loc["toy", "p"] == 100_000_000_000_001


@pytest.mark.parametrize(
    ("estimates", "message"),
    [
        (rows(), "no estimate to reconcile"),
        (rows(("nora", "p", "field", 1.0, 1.0)), "outside the tree, such as 'nora'"),
        (rows(("anna", "p", "field", np.nan, 1.0)), "field of 'anna' in p has no value or no variance"),
        (rows(("anna", "p", "field", 1.0, np.nan)), "field of 'anna' in p has no value or no variance"),
        (rows(("anna", "p", "field", 1.0, -1.0)), "field of 'anna' in p has no value or no variance"),
        (
            rows(("anna", "p", "field", 1.0, 1.0), ("anna", "p", "field", 2.0, 1.0)),
            "field of 'anna' in p stands twice",
        ),
    ],
)
def test_estimates_that_cannot_be_used_are_refused_by_name(estimates: pd.DataFrame, message: str) -> None:
    with pytest.raises(TableError, match=message):
        reconcile(TREE, estimates)


def test_a_hold_of_half_a_cent_and_contradicting_holds_are_refused() -> None:
    given_ = rows(("toy", "p", "target", 100.0, 9.0))
    with pytest.raises(InfeasibleError, match="'anna' in p is not a whole number"):
        reconcile(TREE, given_, holds=held(anna=10.5))
    with pytest.raises(InfeasibleError, match=r"'north' is held at 50.00, .* sum to 30.00"):
        reconcile(TREE, given_, holds=held(north=50, anna=10, ben=20))


SPOKEN = rows(
    *((leaf, period, "target", 100.0, 9.0) for leaf in TREE.leaves for period in ("p", "q")),
    ("anna", "p", "field", 80.0, 4.0),
    ("anna", "q", "field", 80.0, 4.0),
    ("carl", "p", "field", 150.0, 4.0),
)


def test_the_gap_compares_like_with_like_and_a_half_word_is_no_word() -> None:
    plan = reconcile(TREE, SPOKEN)
    gaps = gap_table(TREE, plan, SPOKEN, ["toy", "north", "south"], ["p", "q"]).set_index("node")
    assert gaps.loc["north", ["target", "target_said", "field", "gap", "said"]].tolist() == [
        400,
        200,
        160,
        40,
        0.5,
    ]
    assert gaps.loc["south", "field"] != gaps.loc["south", "field"]  # Carl spoke for one month of two
    assert gaps.loc["south", "said"] == 0.0
    assert gaps.loc["toy", ["gap", "said"]].tolist() == [40, 0.2]
    assert (gaps["moved"] == gaps["plan"] - gaps["target"]).all()
    assert gaps["baseline"].isna().all()


def test_a_gap_table_where_only_the_company_has_a_target() -> None:
    given_ = rows(("toy", "p", "target", 100.0, 9.0))
    gaps = gap_table(TREE, reconcile(TREE, given_), given_, ["toy"], ["p"])
    assert gaps["plan"].tolist() == [100]
    assert gaps[["target", "field", "gap", "said"]].isna().all(axis=None)


def test_shares_of_a_number_that_is_zero_are_missing() -> None:
    plan = reconcile(TREE, rows(("toy", "p", "target", 0.0, 9.0)))
    parts = explain(plan, "toy", ["p"])
    assert parts["share"].isna().all()
    assert parts["value"].sum() == 0.0


# -- independent programs ------------------------------------------------------------------------


@pytest.mark.real
def test_real_trips_of_eight_states_and_their_regions(shared) -> None:
    """Forecast every node by the year before: the regions' forecasts sum up, so they stay; a bent state moves."""
    raw = pd.read_csv(shared / "data/tourism/australia_tourism.csv.gz")
    raw["region"] = raw["State"] + "/" + raw["Region"]
    tree = Hierarchy.from_paths(
        raw[["State", "Region"]].drop_duplicates(), ["State", "Region"], root="Australia"
    )
    trips = raw.pivot_table(index="region", columns="date_time", values="Trips", aggfunc="sum")
    whole = tree.roll_up(trips)
    assert len(tree.at_level("State")) == raw["State"].nunique() == 8
    assert whole.loc["Australia"].to_numpy() == pytest.approx(
        raw.groupby("date_time")["Trips"].sum().to_numpy()
    )
    assert whole.loc["Victoria"].to_numpy() == pytest.approx(
        raw[raw["State"] == "Victoria"].groupby("date_time")["Trips"].sum().to_numpy()
    )
    last = whole.iloc[:, -4:].set_axis(list("abcd"), axis=1) * 100_000
    long = last.melt(ignore_index=False, var_name="period").reset_index(names="node").assign(source="naive")
    coherent = long.assign(variance=(long["value"] * 0.1) ** 2 + 1.0)
    plan = reconcile(tree, coherent)
    assert plan.values.to_numpy() == pytest.approx(last.loc[tree.nodes].to_numpy(), rel=1e-9)
    bent = coherent.assign(
        value=coherent["value"].where(coherent["node"] != "Victoria", coherent["value"] * 1.2)
    )
    moved = reconcile(tree, bent).values / plan.values
    assert moved.loc["Victoria"].between(1.0, 1.2, inclusive="neither").all()
    assert moved.loc["Australia"].between(1.0, 1.2, inclusive="neither").all()
    assert (moved.loc["Queensland"] < 1.0).all()  # the company's own number stays near, so others give way
