"""Gaps: each that matters becomes one decision, owned and dated; what nobody can compute is left open."""

import datetime as dt

import pandas as pd

from spms_lib.reconcile.gaps import gap_decisions

OWNERS = pd.Series({"north": "Nina", "south": "Sven", "west": "Wim"})
nan = float("nan")


def proposed(*rows: tuple, gap_ratio: float = 0.05) -> pd.DataFrame:
    """Rows: node, target, target_said, field."""
    gaps = pd.DataFrame(rows, columns=["node", "target", "target_said", "field"]).astype(
        {"target": float, "target_said": float, "field": float}
    )
    gaps["name"] = gaps["node"].str.title()
    gaps["gap"] = gaps["target_said"] - gaps["field"]
    gaps["said"] = gaps["target_said"].fillna(0.0) / gaps["target"].where(gaps["target"] != 0)
    return gap_decisions(
        gaps,
        cycle="2026Q2",
        gap_ratio=gap_ratio,
        owners=OWNERS,
        due=dt.date(2026, 4, 30),
        money=lambda amount: f"{amount:.0f}",
    )


def test_a_field_below_its_target_is_a_gap_to_close_with_its_amount() -> None:
    row = proposed(("north", 100, 100, 90)).iloc[0]
    assert row[["decision", "type", "owner", "status", "expected_effect"]].tolist() == [
        "2026Q2 close_gap north", "close_gap", "Nina", "open", 10,
    ]  # fmt: skip
    assert row["due"] == pd.Timestamp(2026, 4, 30)
    assert "expects 10 (10%) less" in row["text"]


def test_a_field_above_its_target_asks_to_review_the_target_and_claims_no_effect() -> None:
    row = proposed(("north", 100, 100, 110)).iloc[0]
    assert row["type"] == "review_target"
    assert pd.isna(row["expected_effect"])


def test_the_threshold_is_a_ratio_of_the_target_of_those_who_spoke() -> None:
    assert proposed(("north", 100, 100, 95.1)).empty
    assert len(proposed(("north", 100, 100, 95))) == 1
    assert len(proposed(("north", 120, 100, 95.1))) == 0


def test_a_silent_field_is_to_be_collected_where_others_speak() -> None:
    table = proposed(("north", 100, 100, 100), ("south", 100, nan, nan), ("west", 100, 70, 70))
    assert table[["node", "type"]].values.tolist() == [["south", "collect"], ["west", "collect"]]
    assert "only 0% of the target" in table["text"].iloc[0]
    assert table["expected_effect"].isna().all()


def test_where_nobody_is_heard_at_all_nobody_is_chased() -> None:
    assert proposed(("north", 100, nan, nan), ("south", 100, nan, nan)).empty


def test_a_node_without_a_target_has_nothing_to_collect_or_to_divide_by() -> None:
    table = proposed(("north", 100, 100, 100), ("south", 0, 0, 0), ("west", nan, nan, 50))
    assert table.empty


def test_ids_are_stable_so_a_second_run_proposes_the_same_decisions() -> None:
    first, second = (proposed(("north", 100, 100, 50)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_an_empty_table_keeps_its_columns_and_types() -> None:
    table = proposed(("north", 100, 100, 100))
    assert table["expected_effect"].dtype == "Int64"
    assert table["due"].dtype.kind == "M"
