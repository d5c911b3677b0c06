"""Drivers: each is normalised before it is weighted, newcomers are filled by rule, zero stays zero."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import NoBasisError
from spms_lib.goals.driver_values import account_roll_up, raise_to_floor, reachable_market, with_growth
from spms_lib.goals.drivers import blend_drivers, fill_newcomers, realised_influence
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
EUROS = pd.Series({"anna": 4e9, "ben": 1e9, "carl": 3e9, "dora": 1e9, "emil": 1e9})
HEADS = pd.Series({"anna": 1.0, "ben": 3.0, "carl": 2.0, "dora": 2.0, "emil": 2.0})
BOTH = pd.DataFrame({"euros": EUROS, "heads": HEADS})


def test_a_driver_in_euros_does_not_drown_one_in_heads() -> None:
    weights, table_ = blend_drivers(TREE, BOTH, {"euros": 1.0, "heads": 1.0})
    assert weights.to_dict() == pytest.approx(
        {"anna": 0.25, "ben": 0.2, "carl": 0.25, "dora": 0.15, "emil": 0.15}
    )
    assert table_["influence"].tolist() == [0.5, 0.5]


@settings(max_examples=20)
@given(
    st.lists(st.floats(0, 100), min_size=5, max_size=5).filter(lambda values: sum(values) > 1e-6),
    st.floats(0.001, 1000),
    st.floats(0, 1),
)
def test_the_unit_of_a_driver_does_not_matter(values: list[float], unit: float, influence: float) -> None:
    one = BOTH.assign(euros=values)
    other = BOTH.assign(euros=[value * unit for value in values])
    wanted = {"euros": influence, "heads": 1.0}
    first, second = (blend_drivers(TREE, frame, wanted)[0] for frame in (one, other))
    assert first.to_dict() == pytest.approx(second.to_dict())
    assert first.sum() == pytest.approx(1.0)


def test_equal_needs_no_column_and_has_no_correlation() -> None:
    weights, table_ = blend_drivers(TREE, BOTH, {"equal": 2.0})
    assert weights.tolist() == pytest.approx([0.2] * 5)
    assert table_["correlation"].isna().all()


def test_influence_is_read_as_a_ratio_of_all_influence() -> None:
    _, table_ = blend_drivers(TREE, BOTH, {"euros": 3.0, "heads": 1.0, "equal": 0.0})
    assert table_.set_index("driver")["influence"].to_dict() == {"euros": 0.75, "heads": 0.25}


def test_a_newcomer_gets_the_mean_of_the_siblings_and_is_on_record() -> None:
    driver = pd.Series({"anna": 10.0, "carl": 6.0, "dora": 0.0})
    filled, record = fill_newcomers(TREE, driver)
    assert filled.to_dict() == {"anna": 10.0, "ben": 10.0, "carl": 6.0, "dora": 0.0, "emil": 3.0}
    assert record.values.tolist() == [
        ["ben", "mean of the measured leaves of north", 10.0],
        ["emil", "mean of the measured leaves of south", 3.0],
    ]
    assert driver.to_dict() == {"anna": 10.0, "carl": 6.0, "dora": 0.0}


def test_where_no_sibling_is_measured_the_next_ancestor_counts() -> None:
    filled, record = fill_newcomers(TREE, pd.Series({"carl": 6.0, "dora": 2.0, "emil": 4.0}))
    assert filled["anna"] == filled["ben"] == 4.0
    assert set(record["rule"]) == {"mean of the measured leaves of toy"}


def test_siblings_are_found_in_a_ragged_tree_whatever_the_order_of_its_levels() -> None:
    """A seller directly under a region comes before the first team: the team still is the nearest ancestor."""
    tree = Hierarchy.from_parent_child(
        table("""
            node  parent level
            all   -      company
            west  all    region
            east  all    region
            solo  west   seller
            team  east   team
            xena  team   seller
            yara  team   seller
            """)
    )
    filled, record = fill_newcomers(tree, pd.Series({"solo": 100.0, "xena": 4.0}))
    assert filled["yara"] == 4.0
    assert record["rule"].tolist() == ["mean of the measured leaves of team"]


def test_zero_stays_zero_and_gets_nothing() -> None:
    weights, table_ = blend_drivers(TREE, BOTH.assign(euros=[0.0, 1, 1, 1, 1]), {"euros": 1.0})
    assert weights["anna"] == 0.0
    assert table_["filled"].tolist() == [0]


@pytest.mark.parametrize(
    ("drivers", "wanted", "message"),
    [
        (BOTH, {"potential": 1.0}, "no driver 'potential'.*equal, euros, heads"),
        (BOTH, {}, "one must be set"),
        (BOTH, {"euros": 0.0}, "one must be set"),
        (BOTH, {"euros": 2.0, "heads": -1.0}, "must be positive"),
        (
            BOTH.assign(euros=-1.0),
            {"euros": 1.0},
            r"'euros' is negative or zero for \['anna', 'ben', 'carl'\]",
        ),
        (BOTH.assign(euros=0.0), {"euros": 1.0}, "'euros' is negative or zero for every leaf"),
        (BOTH.assign(euros=float("nan")), {"euros": 1.0}, "No leaf has a value for the driver 'euros'"),
    ],
)
def test_a_split_without_a_basis_is_refused_by_name(
    drivers: pd.DataFrame, wanted: dict, message: str
) -> None:
    with pytest.raises(NoBasisError, match=message):
        blend_drivers(TREE, drivers, wanted)


# -- what a driver decides ---------------------------------------------------------------------------


def test_a_driver_that_repeats_another_decides_nothing_whatever_its_weight() -> None:
    frame = BOTH.assign(echo=EUROS / 1e9)
    told = realised_influence(TREE, frame, {"euros": 0.45, "echo": 0.45, "heads": 0.1}).set_index("driver")
    assert told["influence"].to_dict() == pytest.approx({"euros": 0.45, "echo": 0.45, "heads": 0.1})
    assert told.loc["heads", "moved"] > told.loc["euros", "moved"]


@settings(max_examples=20)
@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=2))
def test_what_a_driver_moves_is_the_part_of_the_target_that_sits_elsewhere_without_it(
    wanted: list[float],
) -> None:
    """Two drivers: without one, all is split by the other."""
    told = realised_influence(TREE, BOTH, dict(zip(BOTH, wanted, strict=True))).set_index("driver")
    apart = (EUROS / EUROS.sum() - HEADS / HEADS.sum()).clip(lower=0).sum()
    share = wanted[0] / sum(wanted)
    assert told["moved"].to_dict() == pytest.approx({"euros": share * apart, "heads": (1 - share) * apart})
    assert told.loc["euros", "most_moved"] == "anna"
    assert told.loc["euros", "by"] == pytest.approx(share * (0.4 - 0.1))


def test_a_driver_alone_is_compared_with_an_equal_split() -> None:
    told = realised_influence(TREE, BOTH, {"euros": 1.0}).iloc[0]
    assert told["moved"] == pytest.approx((0.4 - 0.2) + (0.3 - 0.2))


# -- what a driver is made of -------------------------------------------------------------------------


def test_a_floor_lifts_the_little_to_a_share_of_the_positive_siblings_and_is_on_record() -> None:
    past = pd.Series({"anna": 100.0, "ben": 0.0, "carl": 60.0, "dora": 40.0, "emil": 1.0})
    lifted, record = raise_to_floor(TREE, past, 0.2)
    # south: the positive ones are 60, 40 and 1, so the floor is 0.2 x 33.67
    assert lifted.to_dict() == pytest.approx(
        {"anna": 100.0, "ben": 20.0, "carl": 60.0, "dora": 40.0, "emil": 0.2 * 101 / 3}
    )
    assert record[["node", "rule", "before"]].values.tolist() == [
        ["ben", "20% of the mean of north", 0.0],
        ["emil", "20% of the mean of south", 1.0],
    ]
    assert past["ben"] == 0.0


def test_a_floor_keeps_missing_missing_and_leaves_a_team_of_zeros_alone() -> None:
    past = pd.Series({"anna": 100.0, "carl": 0.0, "dora": 0.0, "emil": 0.0})
    lifted, record = raise_to_floor(TREE, past, 0.5)
    assert pd.isna(lifted["ben"])
    assert lifted[["carl", "dora", "emil"]].tolist() == [0.0, 0.0, 0.0]
    assert record.empty
    assert raise_to_floor(TREE, past, 0.0)[1].empty
    with pytest.raises(NoBasisError, match="floor 20 is not a ratio"):
        raise_to_floor(TREE, past, 20)


def test_growth_market_and_accounts_are_the_trades_worked_examples() -> None:
    # last year plus 10 %; one per cent of a market of 100 million is one million
    assert with_growth(pd.Series({"anna": 200.0}), 0.1).to_dict() == pytest.approx({"anna": 220.0})
    assert reachable_market(pd.Series({"anna": 1e8}), pd.Series({"anna": 0.01}))["anna"] == 1e6
    with pytest.raises(NoBasisError, match="'anna' can win is 35"):
        reachable_market(pd.Series({"anna": 1e8}), pd.Series({"anna": 35.0}))


def test_accounts_add_up_to_their_seller_and_an_account_nobody_asked_anything_of_is_not_zero() -> None:
    accounts = pd.DataFrame(
        [("x", "anna", 10.0), ("y", "anna", 5.0), ("z", "ben", None), ("w", "carl", 0.0)],
        columns=["account", "node", "target"],
    )
    sums = account_roll_up(accounts)
    assert sums[["anna", "carl"]].tolist() == [15.0, 0.0]
    assert pd.isna(sums["ben"])
