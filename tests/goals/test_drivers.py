"""Drivers: each is normalised before it is weighted, newcomers are filled by rule, zero stays zero."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import NoBasisError
from spms_lib.goals.drivers import blend_drivers, fill_newcomers
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
