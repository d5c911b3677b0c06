"""Movement in a cycle: the right snapshots, the right nodes, and nothing later than the day."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from spms_lib.cycle import Desk, movement, word_movement

from firms import opportunities, submissions  # isort: skip

APRIL, MAY = dt.date(2026, 4, 10), dt.date(2026, 5, 31)


def euros(table: pd.DataFrame, node: str) -> dict[str, int]:
    """One node's row in whole euros, without what is zero."""
    row = table.set_index("node").loc[node].drop("name")
    return {name: int(amount) // 100 for name, amount in row.items() if amount}


def test_the_snapshots_compared_are_the_last_two_by_the_day(acme: Desk) -> None:
    march = dt.date(2026, 3, 31)
    assert movement.compared(acme, until=dt.date(2026, 5, 30)) == (march, APRIL)
    assert movement.compared(acme, until=MAY) == (APRIL, MAY)
    assert movement.compared(acme, until=MAY, since=dt.date(2026, 4, 9)) == (march, MAY)
    assert movement.compared(acme, until=march) is None  # one snapshot alone moves nothing
    assert movement.compared(acme, until=APRIL, since=APRIL) is None


def test_the_quarters_pipeline_moved_as_told_deal_by_deal(acme: Desk) -> None:
    """D2 was due in February: in March it is still an earlier quarter's, in April this one's."""
    table = movement.movement_table(acme, movement.movement_between(acme, until=APRIL))
    assert euros(table, "acme") == {"opening": 100, "new": 60, "pushed in": 40, "up": 20, "closing": 220}
    assert euros(table, "south") == {"pushed in": 40, "closing": 40}
    assert list(table) == ["node", "name", "opening", "new", "pushed in", "up", "closing"]
    later = movement.movement_table(acme, movement.movement_between(acme, until=MAY), level="seller")
    assert euros(later, "acme") == {"opening": 220, "new": 999, "won": -120, "lost": -40, "closing": 1059}
    assert euros(later, "dora") == {"new": 999, "closing": 999}
    assert later["node"].tolist() == ["acme", *acme.tree.leaves]  # where nothing moved, that is said


def test_pipeline_and_won_together_stay_when_a_deal_is_won(acme: Desk) -> None:
    both = movement.movement_between(acme, until=MAY, with_won=True)
    assert euros(movement.movement_table(acme, both), "north") == {"opening": 180, "closing": 180}
    assert both.steps()["label"].tolist()[0] == "Open and won at 2026-04-10"


def test_an_edition_sees_its_own_nodes_and_what_left_them(opened: Callable[..., Desk]) -> None:
    deals = opportunities()
    deals.loc[deals["opportunity"].eq("D1") & deals["as_of"].eq("2026-04-10"), "node"] = "carl"
    desk = opened(opportunities=deals)
    whole = movement.movement_between(desk, until=APRIL)
    assert whole.summary().set_index("part")["amount"]["owner change"] == 0
    north = replace(desk, region="north")
    moved = movement.movement_between(north, until=APRIL)
    assert moved.summary().set_index("part")["amount"][["owner change", "up"]].tolist() == [-100_00, 0]
    table = movement.movement_table(north, moved)
    assert euros(table, "north") == {"opening": 100, "new": 60, "owner change": -100, "closing": 60}
    assert table["node"].tolist()[0] == "north"
    assert "south" not in set(table["node"])


def test_a_deal_of_a_seat_that_has_closed_is_carried_by_the_node_above(opened: Callable[..., Desk]) -> None:
    deals = opportunities()
    deals.loc[deals["opportunity"] == "D1", "node"] = "emil"
    table = movement.movement_table(
        desk := opened(opportunities=deals), movement.movement_between(desk, until=APRIL)
    )
    assert euros(table, "acme") == {"opening": 100, "new": 60, "pushed in": 40, "up": 20, "closing": 220}
    assert euros(table, "south") == {"opening": 100, "pushed in": 40, "up": 20, "closing": 160}


def test_a_vanished_deal_is_in_the_bridge_and_a_finding(opened: Callable[..., Desk]) -> None:
    deals = opportunities()
    desk = opened(opportunities=deals[~(deals["opportunity"].eq("D3") & deals["as_of"].eq("2026-05-31"))])
    moved = movement.movement_between(desk, until=MAY)
    assert moved.summary().set_index("part").loc["vanished", ["count", "amount"]].tolist() == [1, -60_00]
    found = movement.movement_findings(desk, until=MAY)
    assert found[["value", "rule"]].values.tolist() == [["D3", "open deal is missing from a later snapshot"]]
    row = desk.table("opportunities").loc[found["row"].iloc[0]]
    assert (row["opportunity"], row["as_of"]) == ("D3", pd.Timestamp(APRIL))


def test_a_deal_that_was_away_in_between_has_returned_and_is_not_new(opened: Callable[..., Desk]) -> None:
    deals = opportunities()
    later = deals["as_of"].eq("2026-05-31")
    back = deals[later & deals["opportunity"].eq("D3")].assign(opportunity="D1", node="anna", amount=100.0)
    kept = deals[~(deals["opportunity"].eq("D1") & deals["as_of"].ne("2026-03-31"))]
    desk = opened(opportunities=pd.concat([kept, back]))
    sums = movement.movement_between(desk, until=MAY).summary().set_index("part")["amount"]
    assert (sums["returned"], sums["new"]) == (100_00, 999_00)


def test_the_largest_moves_are_listed_with_their_days(acme: Desk) -> None:
    listed = movement.largest_moves(acme, until=MAY)
    assert listed[["opportunity", "name", "part", "amount"]].values.tolist() == [
        ["D4", "dora", "new", 999_00],
        ["D1", "anna", "won", -120_00],
        ["D2", "carl", "lost", -40_00],
    ]
    assert pd.isna(listed["close_then"].iloc[0])
    assert listed["close_now"].iloc[2] == pd.Timestamp("2026-05-20")


def test_slips_are_counted_from_the_day_before_the_quarter(opened: Callable[..., Desk], acme: Desk) -> None:
    table = movement.slips(acme, until=MAY).set_index("node")
    assert table.loc["acme", ["deals", "slipped", "by_amount"]].tolist() == [1, 0, 0]
    assert pd.isna(table.loc["south", "by_amount"])  # nothing was in the quarter there
    first_day = opportunities().head(2).assign(as_of="2026-04-01", amount=7.0)
    still = opened(opportunities=pd.concat([opportunities(), first_day]))
    assert movement.slips(still, until=MAY).set_index("node").loc["acme", "amount"] == 100_00
    deals = opportunities()
    late = deals["opportunity"].eq("D1") & deals["as_of"].eq("2026-05-31")
    moved = deals.assign(
        status=deals["status"].mask(late, "open"), close_date=deals["close_date"].mask(late, "2026-07-02")
    )
    slipped = movement.slips(opened(opportunities=moved), until=MAY, level="seller").set_index("node")
    assert slipped.loc["anna", ["deals", "slipped_amount", "by_amount", "by_count"]].tolist() == [
        1,
        100_00,
        1,
        1,
    ]
    assert slipped.loc["anna", "low"] < 0.5  # one deal proves little


def test_what_was_won_late_and_what_slips_again_is_found_by_node(
    opened: Callable[..., Desk], acme: Desk
) -> None:
    table = movement.late_new(acme, until=MAY).set_index("node")
    assert table.loc["north", ["won", "won_amount", "late"]].tolist() == [1, 120_00, 0]
    assert movement.late_from(acme) == dt.date(2026, 6, 1)  # 30 of 91 days
    deals = opportunities()
    early = deals[deals["opportunity"] != "D1"]
    fresh = pd.DataFrame(
        [("D9", "ben", "won", 30.0, 1.0, "2026-05-30", "2026-06-05", "2026-06-30")], columns=deals.columns
    )
    desk = opened(opportunities=pd.concat([early, fresh]))
    found = movement.late_new(desk, until=dt.date(2026, 6, 30)).set_index("node")
    assert found.loc["acme", ["late_amount", "by_amount"]].tolist() == [30_00, 1]
    assert movement.repeat_slips(acme, until=APRIL, least=1)[["opportunity", "slips"]].values.tolist() == [
        ["D2", 1]
    ]
    assert movement.repeat_slips(replace(acme, region="north"), until=APRIL, least=1).empty


def test_a_company_with_one_snapshot_or_no_deals_has_empty_tables(
    opened: Callable[..., Desk], acme: Desk
) -> None:
    for desk, day in ((acme, dt.date(2026, 3, 31)), (opened(opportunities=None), MAY)):
        moved = movement.movement_between(desk, until=day)
        assert moved.nothing
        assert moved.steps().empty
        assert movement.movement_table(desk, moved).empty
        assert movement.largest_moves(desk, until=day).empty
        assert movement.movement_findings(desk, until=day).empty
        assert movement.slips(desk, until=day).empty
        assert movement.late_new(desk, until=day).empty
        assert list(movement.late_new(desk, until=day))[:3] == ["node", "name", "won"]
        assert movement.repeat_slips(desk, until=day).empty


# -- words -----------------------------------------------------------------------------------------

LATER = pd.DataFrame(
    [
        ("anna", "2026-04", "commit", 300.0, "Anna", "2026-04-14 09:00", "tender won"),
        ("ben", "2026-05", "closed", 40.0, "Ben", "2026-04-15 09:00", ""),
        ("carl", "2026-06", "commit", 999.0, "Carl", "2026-04-16 09:00", ""),
    ],
    columns=["node", "period", "category", "value", "submitted_by", "submitted_at", "comment"],
)


def talking(opened: Callable[..., Desk], **cycle: object) -> Desk:
    return opened(submissions=pd.concat([submissions(), LATER], ignore_index=True), cycle=cycle)


def test_words_move_between_two_calls_and_not_after_the_later_one(opened: Callable[..., Desk]) -> None:
    desk = talking(opened)
    wednesday = dt.date(2026, 4, 15)
    said = word_movement.word_movement(desk, until=wednesday)
    assert said.names == ("Said by 2026-04-08", "Said by 2026-04-15")
    sums = said.summary().set_index("part")["amount"]
    quarter = submissions()[lambda rows: rows["period"].isin(desk.months)]
    before = quarter.set_index(["node", "period", "category"])["value"]
    raised = 300 - before["anna", "2026-04", "commit"]
    assert sums["raised"] == round((raised + 40) * 100)
    assert said.closing["amount"].sum() == round((before.sum() + raised + 40) * 100)
    changes = word_movement.changed_words(desk, until=wednesday)
    assert changes[["node", "state", "comment", "reason_due"]].values.tolist() == [
        ["anna", "raised", "tender won", False],
        ["ben", "raised", "", True],
    ]
    assert (
        word_movement.word_movement(replace(desk, region="south"), until=wednesday).summary()["amount"].sum()
        == 0
    )


def test_the_previous_call_is_the_weekday_in_the_params_or_a_week_ago(opened: Callable[..., Desk]) -> None:
    weekly = talking(opened, collection={"call_weekday": "monday"})
    assert word_movement.previous_call(weekly, until=dt.date(2026, 4, 15)) == dt.date(2026, 4, 13)
    assert word_movement.previous_call(weekly, until=dt.date(2026, 4, 13)) == dt.date(2026, 4, 6)
    assert word_movement.previous_call(talking(opened), until=dt.date(2026, 4, 15)) == dt.date(2026, 4, 8)


def test_a_company_where_nobody_submits_has_no_words(opened: Callable[..., Desk]) -> None:
    desk = opened(submissions=None)
    assert word_movement.word_movement(desk, until=APRIL).nothing
    assert word_movement.changed_words(desk, until=APRIL).empty
    assert movement.movement_table(desk, word_movement.word_movement(desk, until=APRIL)).empty


@pytest.mark.parametrize("with_won", [False, True])
def test_every_node_of_every_level_adds_up(acme: Desk, with_won: bool) -> None:
    moved = movement.movement_between(acme, until=MAY, since=dt.date(2026, 3, 31), with_won=with_won)
    for level in acme.tree.level_names:
        table = movement.movement_table(acme, moved, level=level)
        amounts = table.drop(columns=["node", "name", "closing"])
        assert (amounts.sum(axis=1) == table["closing"]).all()
