"""How hard targets were, on cells small enough to check by hand."""

import pandas as pd
import pytest

from spms_lib.cycle.difficulty import compare_levels


def cells(*rows: tuple[str, str, str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["node", "period", "source", "value", "actual"])
    return frame.assign(level="seller", attainment=frame["actual"] / frame["value"].where(frame["value"] > 0))


TWO = cells(
    ("anna", "q1", "given", 80.0, 50.0),
    ("ben", "q1", "given", 20.0, 50.0),
    ("anna", "q1", "ours", 50.0, 50.0),
    ("ben", "q1", "ours", 50.0, 50.0),
)


def test_the_measures_of_two_sellers_by_hand() -> None:
    given, ours = compare_levels(TWO).to_dict("records")
    assert given["misplaced"] == pytest.approx(0.3)  # 30 of 100 sat on the wrong seller
    assert given["wape"] == pytest.approx(0.6)
    assert given["bias_ratio"] == 0.0
    assert given["cv"] == pytest.approx((2.5 - 0.625) / 2 / 1.5625)
    assert given["iqr"] == pytest.approx((2.5 - 0.625) / 2)
    assert (given["at_or_above"], given["within_20"]) == (0.5, 0.0)
    assert (ours["misplaced"], ours["cv"], ours["at_or_above"], ours["within_20"]) == (0.0, 0.0, 1.0, 1.0)


def test_a_cell_that_one_source_lacks_is_left_out_of_all_and_counted() -> None:
    more = pd.concat([TWO, cells(("carl", "q1", "given", 10.0, 90.0))])
    told = compare_levels(more).set_index("source")
    assert told["n"].tolist() == [2, 2]
    assert told["left_out"].to_dict() == {"given": 1, "ours": 0}
    assert told.loc["given", "actual"] == 100.0


def test_a_target_of_zero_has_no_attainment_and_is_counted_as_unknown() -> None:
    zero = cells(("anna", "q1", "given", 0.0, 50.0), ("ben", "q1", "given", 100.0, 50.0))
    row = compare_levels(zero).iloc[0]
    assert row["unknown"] == 1
    assert row["at_or_above"] == 0.0
    assert pd.isna(row["cv"])


def test_quarters_are_averaged_and_not_pooled_for_evenness() -> None:
    later = TWO.assign(period="q2", value=TWO["value"] * 10, attainment=TWO["attainment"] / 10)
    both = compare_levels(pd.concat([TWO, later])).set_index("source")
    assert both.loc["given", "cv"] == pytest.approx(0.6)
    by_quarter = compare_levels(pd.concat([TWO, later]), by_quarter=True)
    assert by_quarter[["period", "source"]].values.tolist() == [
        ["q1", "given"],
        ["q1", "ours"],
        ["q2", "given"],
        ["q2", "ours"],
    ]
