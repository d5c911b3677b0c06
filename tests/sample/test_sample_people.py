import numpy as np
import pandas as pd
import pytest

from spms_lib.sample.company import REGIONS, make_company
from spms_lib.sample.timeline import HISTORY, MONTHS, position


def test_there_are_four_regions_and_about_seven_seats_to_a_team(usual):
    nodes = usual.read("hierarchy").drop_duplicates("node")
    assert nodes["level"].value_counts().to_dict() == {"seller": 80, "team": 12, "region": 4, "company": 1}
    assert set(nodes.loc[nodes["level"] == "region", "node"]) == {
        "dach",
        "nordics",
        "uk_ireland",
        "south_europe",
    }


@pytest.mark.parametrize("seed", range(12))
def test_teams_keep_five_to_eight_seats_through_all_moves(seed):
    company = make_company(np.random.default_rng(seed), 80)
    for month in range(len(MONTHS)):
        sizes = np.bincount(company.seat_team[:, month][company.seat_team[:, month] >= 0])
        assert sizes.min() >= 5
        assert sizes.max() <= 8


def test_every_parent_is_a_node_one_level_up(sample):
    nodes = sample.read("hierarchy")
    level = dict(zip(nodes["node"], nodes["level"], strict=True))
    up = {"company": "", "region": "company", "team": "region", "seller": "team"}
    assert all(level.get(row.parent, "") == up[row.level] for row in nodes.itertuples())
    assert (nodes["parent"] == "").sum() == 1


def test_seats_that_move_belong_to_one_team_on_every_day(sample):
    seats = sample.seats()
    moved = seats[seats.duplicated("node", keep=False)]
    assert moved["node"].nunique() == (4 if sample.sellers == 80 else 1)
    for _, rows in moved.groupby("node"):
        before, after = rows.to_dict("records")
        day_after = pd.Timestamp(before["valid_to"]) + pd.Timedelta(days=1)
        assert (before["valid_from"], after["valid_to"]) == ("", "")
        assert str(day_after.date()) == after["valid_from"]
        assert before["parent"] != after["parent"]


def test_one_seat_opens_late_and_sells_nothing_before(sample):
    seats = sample.seats().drop_duplicates("node")
    late = seats[seats["valid_from"] != ""]
    assert late["valid_from"].tolist() == ["2025-02-01"]
    for table, column in (("sales", "date"), ("opportunities", "created"), ("submissions", "submitted_at")):
        frame = sample.sales() if table == "sales" else sample.read(table)
        mine = frame[frame["node"] == late["node"].item()]
        assert len(mine) > 0
        assert mine[column].min() >= "2025-02-01", table
    assert len(sample.seats_at("2025-01-31")) == sample.sellers - 1
    assert len(sample.seats_at("2026-07-01")) == sample.sellers


def test_nobody_sits_in_two_seats_and_no_seat_holds_two_people(sample):
    roster = sample.read("roster")
    assert roster["person"].is_unique
    for _, stints in roster.sort_values("start").groupby("node"):
        assert (stints["start"].iloc[1:].to_numpy() > stints["end"].iloc[:-1].to_numpy()).all()
        assert (stints["end"].iloc[:-1] != "").all()


def test_the_owner_of_a_seat_is_who_sits_there_and_empty_seats_have_none(usual):
    seats = usual.seats_at("2026-09-30").set_index("node")["owner"]
    roster = usual.read("roster")
    present = roster[roster["end"] == ""].set_index("node")["person"]
    pd.testing.assert_series_equal(
        seats.sort_index(), present.reindex(seats.index, fill_value="").sort_index(), check_names=False
    )
    assert (seats == "").sum() >= 2


def test_gaps_between_two_people_last_two_to_four_months(usual):
    roster = usual.read("roster").sort_values(["node", "start"])
    start = pd.to_datetime(roster["start"]).dt.to_period("M")
    left = pd.to_datetime(roster["end"], errors="coerce").dt.to_period("M").groupby(roster["node"]).shift()
    gaps = [(a - b).n - 1 for a, b in zip(start, left, strict=True) if b is not pd.NaT]
    assert len(gaps) >= 10
    assert set(gaps) <= {2, 3, 4}


def test_an_empty_seat_sells_next_to_nothing(usual):
    roster = usual.read("roster").sort_values(["node", "start"])
    sales = usual.sales().groupby(["node", "month"])["cents"].sum()
    empty = []
    for node, stints in roster.groupby("node"):
        for end, start in zip(stints["end"].iloc[:-1], stints["start"].iloc[1:], strict=True):
            months = pd.period_range(end[:7], start[:7], freq="M").astype(str)[1:-1]
            empty += [sales.get((node, month), 0) for month in months]
    assert np.mean(empty) < 0.12 * sales.mean()


def test_new_people_sell_a_third_at_first_and_all_after_six_months(usual):
    roster = usual.read("roster")
    hired = roster[roster["start"].between("2023-10", "2025-09") & (roster["end"] == "")]
    truth = usual.read("truth_expected")
    truth["value"] = truth["expected_value"].astype(float)
    season = truth.groupby("period")["value"].sum()
    level = truth.assign(value=truth["value"] / truth["period"].map(season)).set_index(["node", "period"])[
        "value"
    ]
    ratios = []
    for seat in hired.itertuples():
        months = [str(MONTHS[position(seat.start[:7]) + step]) for step in (0, 6)]
        ratios.append(level[seat.node, months[0]] / level[seat.node, months[1]])
    assert len(ratios) >= 5
    assert np.mean(ratios) == pytest.approx(0.3, abs=0.05)


def test_target_incentives_are_those_of_a_full_year(usual):
    roster = usual.read("roster")
    whole = roster["target_incentive"].astype(float) / roster["fte"].astype(float)
    assert set(whole.round()) <= {40_000, 48_000, 60_000}


def test_a_person_is_named_only_where_that_person_sat(sample):
    roster = sample.read("roster")
    sent = sample.read("submissions")[["node", "submitted_by", "submitted_at"]].drop_duplicates()
    joined = sent.merge(roster, left_on=["node", "submitted_by"], right_on=["node", "person"], how="left")
    day = joined["submitted_at"].str[:10]
    assert (joined["start"] <= day).all()
    assert ((joined["end"] == "") | (joined["end"] >= day)).all()


def test_months_of_history_and_of_regions_are_as_described():
    assert HISTORY == 39
    assert sum(region.size_ratio for region in REGIONS) == pytest.approx(1.0)


def test_notes_and_decisions_speak_of_nodes_and_people_that_exist(sample):
    nodes = sample.read("hierarchy")
    people = set(nodes["owner"]) | set(sample.read("roster")["person"])
    notes, decisions = sample.read("notes"), sample.read("decisions")
    assert set(notes["author"]) | set(decisions["owner"]) <= people - {""}
    assert set(notes["node"]) | set(decisions["node"]) <= set(nodes["node"])
    assert set(notes["topic"]) <= {"pricing", "supply", "competition", "quota", "enablement"}
    assert notes["written_at"].is_monotonic_increasing
    assert {"accepted", "open"} <= set(notes["status"])
    assert ((notes["answer"] != "") == (notes["status"] != "open")).all()


def test_only_decisions_that_are_done_have_an_effect(sample):
    decisions = sample.read("decisions")
    assert decisions["cycle"].value_counts().to_dict() == {"2026Q2": 6, "2026Q1": 2}
    assert ((decisions["actual_effect"] != "") == (decisions["status"] == "done")).all()
    assert set(decisions["status"]) == {"done", "open", "dropped"}


def test_filling_a_seat_had_the_effect_that_the_sales_show(sample):
    hire = sample.read("decisions").iloc[0]
    sales = sample.sales().query("'2026-01' <= month <= '2026-06'")
    mine, after = sales["node"] == hire["node"], sales["month"] >= "2026-04"
    others = sales.loc[~mine & after, "cents"].sum() / sales.loc[~mine & ~after, "cents"].sum()
    effect = sales.loc[mine & after, "cents"].sum() - others * sales.loc[mine & ~after, "cents"].sum()
    assert float(hire["actual_effect"]) == pytest.approx(effect / 100, abs=50)  # stated to the next hundred
    assert effect > 0
