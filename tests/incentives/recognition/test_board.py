"""Leaderboards: ranks with declared ties, no name without consent, nothing changes after the close."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.errors import CheckError, ParamsError, TableError
from spms_lib.incentives.recognition import check_frozen, freeze, leaderboard, own_view, shown

CLOSED = dt.date(2026, 3, 31)
WHO = list("abcdef")
SALES = [50.0, 90.0, 90.0, 20.0, 70.0, np.nan]
HUNTERS = pd.Series("hunters", WHO)


def rows(values: list[float], *, measure: str = "sales", period: str = "2026Q1") -> pd.DataFrame:
    who = [f"p{n}" for n in range(len(values))] if len(values) != len(WHO) else WHO
    return pd.DataFrame({"payee": who, "period": period, "measure": measure, "value": values})


MARGINS = rows([1, 2, 3, 4, 5, 6], measure="margin")


def board(measures: pd.DataFrame, **change: object) -> pd.DataFrame:
    told = {
        "measure": "sales",
        "period": "2026Q1",
        "groups": HUNTERS,
        "opted_in": {"a", "b"},
        "ties": "shared",
    }
    return leaderboard(measures, **(told | change))


def ranks(found: pd.DataFrame) -> dict[str, int]:
    return found.dropna(subset="rank").set_index("payee")["rank"].astype(int).to_dict()


@pytest.mark.parametrize(
    ("ties", "second", "expected"),
    [
        ("shared", None, {"b": 1, "c": 1, "e": 3, "a": 4, "d": 5}),
        ("dense", None, {"b": 1, "c": 1, "e": 2, "a": 3, "d": 4}),
        ("second", "margin", {"c": 1, "b": 2, "e": 3, "a": 4, "d": 5}),
    ],
)
def test_equal_sales_share_close_up_or_are_decided_as_declared(
    ties: str, second: str, expected: dict
) -> None:
    measures = pd.concat([rows(SALES), MARGINS])
    assert ranks(board(measures, ties=ties, second=second)) == expected


def test_equal_on_both_measures_is_shared_and_never_drawn() -> None:
    measures = pd.concat([rows(SALES), MARGINS.assign(value=1.0)])
    assert ranks(board(measures, ties="second", second="margin"))["b"] == 1
    assert ranks(board(measures, ties="second", second="margin"))["c"] == 1


@settings(max_examples=25)
@given(st.lists(st.integers(0, 5), min_size=7, max_size=12))
def test_a_shared_rank_is_one_more_than_the_number_of_better_ones(values: list[int]) -> None:
    measures = rows([float(v) for v in values])
    found = board(measures, groups=pd.Series("all", measures["payee"]))
    better = [(sum(other > v for other in values) + 1) for v in found["value"]]
    assert found["rank"].tolist() == better


def test_nobody_is_named_without_consent() -> None:
    public = shown(board(rows(SALES)))
    assert public[["rank", "payee", "value", "others"]].values.tolist() == [
        [1, "b", 90.0, 3],
        [4, "a", 50.0, 3],
    ]
    mine = own_view(board(rows(SALES)), "e")
    assert mine["place"].tolist() == ["above", "you", "below"]
    assert mine["rank"].tolist() == [1, 3, 4]
    assert mine["payee"].fillna("-").tolist() == ["-", "e", "a"]  # c, above, did not agree
    assert mine["value"].fillna(-1).tolist() == [-1, 70.0, 50.0]


def test_the_only_one_without_a_name_is_not_found_by_the_gap_between_ranks() -> None:
    public = shown(board(rows(SALES), opted_in={"a", "b", "c", "d"}))
    assert public["rank"].isna().all()
    assert (public["others"] == 1).all()


def test_a_small_peer_group_an_unknown_value_and_no_group_are_not_ranked_and_say_so() -> None:
    groups = HUNTERS.drop("a").replace({"hunters": "farmers"})
    found = board(rows(SALES), groups=groups).set_index("payee")
    assert found["rank"].isna().all()
    assert found["note"].to_dict() == {
        "a": "no peer group", "b": "peer group below 5: not ranked", "c": "peer group below 5: not ranked",
        "d": "peer group below 5: not ranked", "e": "peer group below 5: not ranked", "f": "not known",
    }  # fmt: skip
    assert shown(board(rows(SALES), groups=groups)).empty


def test_a_personal_best_is_told_to_its_owner_only_and_never_from_a_later_or_shorter_period() -> None:
    past = [
        rows([99.0] * 6, period="2025Q4"),
        rows([999.0] * 6, period="2026Q2"),
        rows([999.0] * 6, period="2025-12"),
    ]
    found = board(pd.concat([rows(SALES), *past]))
    mine = own_view(found, "e").set_index("place")
    assert (mine.loc["you", "best"], mine.loc["you", "best_period"]) == (99.0, "2025Q4")
    assert mine.drop(index="you")[["best", "best_period"]].isna().all(axis=None)


def test_who_is_not_ranked_sees_only_the_own_row() -> None:
    assert own_view(board(rows(SALES)), "f")[["place", "payee", "note"]].values.tolist() == [
        ["you", "f", "not known"]
    ]


def test_later_data_do_not_change_a_frozen_board_and_any_change_of_it_shows() -> None:
    measures = rows(SALES)
    frozen = freeze(board(measures), CLOSED)
    measures["value"] = 0.0
    check_frozen(frozen)
    check_frozen(frozen.sample(frac=1, random_state=1)[sorted(frozen.columns)])
    for column, value in [
        ("value", 90.5),
        ("rank", 2),
        ("named", True),
        ("payee", "z"),
        ("closed_on", "2026-04-01"),
    ]:
        changed = frozen.copy()
        changed[column] = changed[column].where(changed.index != 1, value)
        with pytest.raises(CheckError, match="not as it was frozen"):
            check_frozen(changed)
    with pytest.raises(CheckError):
        check_frozen(frozen.iloc[1:])


def test_a_frozen_board_survives_its_way_through_a_csv_file(tmp_path) -> None:
    frozen = freeze(board(rows([0.1 + 0.2, *SALES[1:]])), CLOSED)
    frozen.to_csv(tmp_path / "board.csv", index=False)
    check_frozen(pd.read_csv(tmp_path / "board.csv"))


def test_misuse_is_refused_by_name() -> None:
    for ties, second in [("coin", None), ("second", None), ("shared", "margin")]:
        with pytest.raises(ParamsError, match="decide nothing"):
            board(rows(SALES), ties=ties, second=second)
    with pytest.raises(TableError, match="twice"):
        board(pd.concat([rows(SALES), rows(SALES)]))
    with pytest.raises(TableError, match="z is not on the board"):
        own_view(board(rows(SALES)), "z")
    with pytest.raises(TableError, match="empty board"):
        freeze(board(rows(SALES)).iloc[:0], CLOSED)
