"""Trust: learnt from the past, shrunk towards the level, and turned by the dial without ever becoming a hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import ParamsError
from spms_lib.hierarchy import Hierarchy
from spms_lib.reconcile.plan import reconcile
from spms_lib.reconcile.trust import (
    LEAST_ERROR_RATIO,
    NO_RECORD_ERROR_RATIO,
    PRIOR_PERIODS,
    track_records,
    with_variance,
)

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
MONTHS = [f"2025-{month:02d}" for month in range(1, 13)]


def said(node: str, values: list[float], source: str = "field") -> pd.DataFrame:
    months = MONTHS[: len(values)]
    return pd.DataFrame({"node": node, "period": months, "source": source, "value": values})


def came(**values: list[float]) -> pd.DataFrame:
    rows = [
        (node, month, value)
        for node, row in values.items()
        for month, value in zip(MONTHS, row, strict=False)
    ]
    return pd.DataFrame(rows, columns=["node", "period", "value"])


def estimates(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["node", "period", "source", "value"])


NOTHING = track_records(said("anna", [1.0]).head(0), came(), TREE.level)


def test_the_error_is_the_miss_as_a_ratio_of_the_forecast_and_bias_has_a_sign() -> None:
    record = track_records(said("anna", [100, 100]), came(anna=[80, 120]), TREE.level).iloc[0]
    assert record["error_ratio"] == pytest.approx(0.2)
    assert record["bias"] == 0.0
    high = track_records(said("anna", [120, 120]), came(anna=[100, 100]), TREE.level).iloc[0]
    assert high["bias"] == 20.0  # positive is over-forecast
    assert high["bias_ratio"] == pytest.approx(0.2)


def test_a_short_record_is_shrunk_towards_its_level_and_a_long_one_speaks_for_itself() -> None:
    past = pd.concat([said("anna", [100] * 12), said("ben", [100])])
    record = track_records(past, came(anna=[90] * 12, ben=[50]), TREE.level).set_index("node")
    pooled = (12 * 0.01 + 0.25) / 13
    for node, periods, own in (("anna", 12, 0.01), ("ben", 1, 0.25)):
        mixed = (periods * own + PRIOR_PERIODS * pooled) / (periods + PRIOR_PERIODS)
        assert record.loc[node, "trust_error_ratio"] == pytest.approx(np.sqrt(mixed))
    assert record.loc["ben", "trust_error_ratio"] < record.loc["ben", "error_ratio"]


def test_a_source_that_was_always_right_is_still_not_certain() -> None:
    record = track_records(said("anna", [100, 50]), came(anna=[100, 50]), TREE.level).iloc[0]
    assert record["error_ratio"] == 0.0
    assert record["trust_error_ratio"] == LEAST_ERROR_RATIO


def test_a_forecast_of_zero_is_a_forecast_and_counts_in_the_bias() -> None:
    record = track_records(said("anna", [0, 0, 100]), came(anna=[100, 0, 100]), TREE.level).iloc[0]
    assert record["periods"] == 3
    assert record["bias"] == pytest.approx(-100 / 3)
    assert record["error_ratio"] == pytest.approx(np.sqrt(4 / 3))  # wrong zero counts 2.0, right zero 0


def test_months_without_a_result_are_not_compared() -> None:
    record = track_records(said("anna", [100, 100, 100]), came(anna=[90]), TREE.level).iloc[0]
    assert record["periods"] == 1


def test_results_of_zero_do_not_divide() -> None:
    record = track_records(said("anna", [100]), came(anna=[0]), TREE.level).iloc[0]
    assert pd.isna(record["bias_ratio"])
    assert record["error_ratio"] == 1.0


@settings(max_examples=15)
@given(st.floats(0.01, 10_000))
def test_the_unit_of_money_changes_no_ratio(unit: float) -> None:
    past, actual = said("anna", [100, 90, 80]), came(anna=[90, 95, 60])
    one = track_records(past, actual, TREE.level).iloc[0]
    scaled = past.assign(value=past["value"] * unit), actual.assign(value=actual["value"] * unit)
    other = track_records(*scaled, TREE.level).iloc[0]
    for name in ("bias_ratio", "error_ratio", "trust_error_ratio"):
        assert other[name] == pytest.approx(one[name])


def test_evidence_is_the_nodes_own_then_its_levels_then_the_sources_then_none() -> None:
    past = pd.concat([said("anna", [100] * 3), said("north", [100] * 3, "target")])
    records = track_records(past, came(anna=[80] * 3, north=[90] * 3), TREE.level)
    answer = with_variance(
        estimates(
            ("anna", "p", "field", 100.0),
            ("ben", "p", "field", 100.0),
            ("south", "p", "field", 100.0),
            ("south", "p", "baseline", 100.0),
            ("south", "p", "target", 100.0),
        ),
        records,
        TREE.level,
    )
    assert answer["evidence"].tolist() == ["node", "level", "source", "none", "level"]
    assert answer["error_ratio"].tolist() == pytest.approx([0.2, 0.2, 0.2, NO_RECORD_ERROR_RATIO, 0.1])
    assert answer["variance"].tolist() == pytest.approx((answer["error_ratio"] * 100) ** 2)


SPOKEN = estimates(
    ("toy", "p", "target", 200.0), ("north", "p", "target", 120.0), ("south", "p", "target", 80.0),
    ("anna", "p", "target", 70.0), ("ben", "p", "target", 50.0),
    ("carl", "p", "target", 30.0), ("dora", "p", "target", 30.0), ("emil", "p", "target", 20.0),
    ("anna", "p", "field", 90.0), ("carl", "p", "field", 0.0),
    ("toy", "p", "baseline", 180.0), ("anna", "p", "baseline", 60.0), ("south", "p", "baseline", 90.0),
)  # fmt: skip


def dial(at: float, rows: pd.DataFrame = SPOKEN) -> pd.DataFrame:
    return reconcile(TREE, with_variance(rows, NOTHING, TREE.level, leadership=at)).values


def test_the_dial_at_one_gives_the_targets_back() -> None:
    targets = SPOKEN[SPOKEN["source"] == "target"].set_index("node")["value"]
    assert dial(1.0)["p"].to_dict() == pytest.approx(targets.to_dict())


def test_the_dial_at_zero_ignores_the_targets() -> None:
    moved = SPOKEN.assign(value=SPOKEN["value"].where(SPOKEN["source"] != "target", SPOKEN["value"] * 7))
    without = SPOKEN[SPOKEN["source"] != "target"]
    answer = dial(0.0)["p"]
    assert answer.to_dict() == pytest.approx(dial(0.0, moved)["p"].to_dict())
    assert answer.to_dict() == pytest.approx(dial(0.5, without)["p"].to_dict())


def test_the_dial_has_no_jump_at_its_ends() -> None:
    ends = [dial(at).loc["toy", "p"] for at in (0.0, 0.001, 0.999, 1.0)]
    assert ends[0] == pytest.approx(ends[1], rel=0.01)
    assert ends[3] == pytest.approx(ends[2], rel=0.01)


def test_the_dial_moves_the_plan_from_the_field_to_the_targets_and_never_back() -> None:
    field = {
        "toy": 150.0,
        "north": 100.0,
        "south": 50.0,
        "anna": 50.0,
        "ben": 50.0,
        "carl": 20.0,
        "dora": 20.0,
        "emil": 10.0,
    }
    rows = pd.concat(
        [
            SPOKEN[SPOKEN["source"] == "target"],
            estimates(*((node, "p", "field", value) for node, value in field.items())),
        ]
    )
    company = [dial(at, rows).loc["toy", "p"] for at in (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)]
    assert company == sorted(company)
    assert company[0] == pytest.approx(150.0)
    assert company[-1] == pytest.approx(200.0)


def test_in_the_middle_the_dial_leaves_the_evidence_alone() -> None:
    rows = SPOKEN.assign(value=SPOKEN["value"] * 1000)
    weighed = with_variance(rows, NOTHING, TREE.level, leadership=0.5)
    floor = rows.groupby("source")["value"].transform("mean") * 0.01  # a word of 0 is no certainty
    expected = (NO_RECORD_ERROR_RATIO * np.maximum(rows["value"], floor)) ** 2
    assert weighed["variance"].tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize("leadership", [0.0, 0.3, 1.0])
def test_no_estimate_ever_becomes_a_hold(leadership: float) -> None:
    """Also where the only voice says zero: it is an opinion, and a hold may contradict it."""
    rows = estimates(
        ("toy", "p", "target", 100.0), ("anna", "p", "field", 0.0), ("ben", "p", "baseline", 0.0)
    )
    weighed = with_variance(rows, NOTHING, TREE.level, leadership=leadership)
    assert (weighed["variance"] > 0).all()
    holds = pd.DataFrame({"node": ["anna"], "period": ["p"], "value": [40]})
    assert reconcile(TREE, weighed, holds=holds).commitments.loc["anna", "p"] == 40


@pytest.mark.parametrize("leadership", [-0.1, 1.1, float("nan")])
def test_the_dial_has_two_ends(leadership: float) -> None:
    with pytest.raises(ParamsError, match="dial cannot stand"):
        with_variance(SPOKEN, NOTHING, TREE.level, leadership=leadership)
