"""Recognition in the toy company: awards by the plan's block, and a leaderboard that names who agreed to it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from spms_lib.cycle import Desk
from spms_lib.cycle.pay.paid import Paid, pay_everybody
from spms_lib.cycle.pay.recognised import awarded, frozen, measures_of, peers
from spms_lib.errors import CheckError, PlanError
from spms_lib.incentives.recognition.board import check_frozen, shown

from firms import PEOPLE, roster, set_goals, transactions  # isort: skip
from toys import table  # isort: skip

END = dt.date(2026, 6, 30)
NOW = "2026Q2"
RULE = {"clause": "7", "per": "quarter", "valid_from": "2024-01-01"}
CLUB = {**RULE, "award": "club", "kind": "club", "all": {"attainment": 0.8, "sales": 300, "tenure_months": 6}}
ROW = {**RULE, "award": "row", "kind": "streak", "measure": "attainment", "at_least": 0.8, "periods": 4}
CALL = {
    **RULE,
    "award": "call",
    "kind": "calibration",
    "forecast": "forecast",
    "actual": "actual",
    "within": 0.05,
    "periods": 1,
}


PAID: dict[tuple[int, dt.date], tuple[Desk, Paid]] = {}


def pay(desk: Desk, until: dt.date = END) -> Paid:
    """Pay a desk once for all tests that only read it."""
    key = (id(desk), until)
    if key not in PAID:
        PAID[key] = (desk, pay_everybody(desk, until=until)[0])
    return PAID[key][1]


def awards_of(desk: Desk, *rules: dict, until: dt.date = END) -> dict[str, str]:
    """Whom the quarter's awards go to, with their status; rules stand in the plan's block."""
    paid = pay(desk, until)
    plan = replace(paid.plan, blocks={"awards": list(rules)})
    rows = awarded(desk, plan, measures_of(desk, paid, until=until), until=until)
    return rows.set_index("payee")["status"].to_dict()


def measured(desk: Desk, **options) -> pd.DataFrame:
    """Payees by measure in the quarter of the cycle."""
    rows = measures_of(desk, pay(desk), until=END, **options)
    return rows[rows["period"] == NOW].pivot(index="payee", columns="measure", values="value")


@pytest.fixture
def staffed(opened) -> Callable[..., Desk]:
    def _staff(**changes) -> Desk:
        desk = opened(**changes)
        set_goals(desk)
        return desk

    return _staff


def test_measures_are_those_of_the_pay_in_currency_units(planned) -> None:
    rows, paid = measured(planned), pay(planned).table(planned).set_index("payee")
    assert rows["sales"].to_dict() == (paid["actual"] / 100).to_dict()
    assert rows["attainment"].to_dict() == pytest.approx(paid["attainment"].to_dict())
    assert rows["tenure_months"].to_dict() == pytest.approx(
        {"Anna": 2282 / 30.4375, "Ben": 2282 / 30.4375, "Carl": 90 / 30.4375}
    )  # from 1 January 2020 or 2026 to 1 April 2026


def test_the_forecast_is_the_first_call_of_the_quarter(planned) -> None:
    rows = measured(planned)
    assert (rows["forecast"] / rows["actual"]).to_dict() == pytest.approx(
        {"Anna": 0.9, "Ben": 1.0, "Carl": 1.2}, rel=1e-3
    )
    assert awards_of(planned, CALL) == {"Ben": "awarded"}


def test_awards_follow_the_rules_of_the_plan_and_are_those_of_the_quarter_only(planned) -> None:
    assert awards_of(planned, CLUB) == {
        "Anna": "awarded",
        "Ben": "awarded",
    }  # Carl sold 290 and came in January
    harder = {**CLUB, "all": {"attainment": 0.81}}
    assert awards_of(planned, harder) == {}
    assert awards_of(planned, CLUB, until=END - dt.timedelta(days=1)) == {}  # not over yet


def test_quarters_before_somebody_came_do_not_count(planned) -> None:
    assert awards_of(planned, ROW) == {"Anna": "awarded", "Ben": "awarded"}
    assert awards_of(planned, {**ROW, "periods": 2}) == {
        "Anna": "awarded",
        "Ben": "awarded",
        "Carl": "awarded",
    }
    rows = measures_of(planned, pay(planned), until=END)
    assert set(rows.loc[rows["payee"] == "Carl", "period"]) == {"2026Q1", NOW}


def test_who_started_or_left_in_the_quarter_is_judged_by_the_own_days_or_not_at_all(staffed) -> None:
    moved = pd.concat([roster().query("person != 'Carl'"), table("""
        node person start      end        fte ramp_months target_incentive
        carl Carl   2026-01-01 2026-05-15 1   -           5000
        carl Dirk   2026-05-16 -          1   -           5000
        """)])  # fmt: skip
    desk = staffed(roster=moved)
    rows, paid = measured(desk), pay(desk).table(desk).set_index("payee")
    assert "Dirk" not in rows.index
    assert rows.loc["Carl", "attainment"] == pytest.approx(paid.loc["Carl", "attainment"])
    assert rows.loc["Carl", "sales"] == paid.loc["Carl", "actual"] / 100


def test_a_plan_without_awards_awards_nothing_and_a_wrong_block_is_refused(planned) -> None:
    paid = pay(planned)
    rows = measures_of(planned, paid, until=END)
    assert awarded(planned, paid.plan, rows, until=END).empty
    for block, message in (({"club": 1}, "not a list"), ([{**CLUB, "kind": "clup"}], "club")):
        with pytest.raises(PlanError, match=message):
            awarded(planned, replace(paid.plan, blocks={"awards": block}), rows, until=END)


@pytest.fixture
def team(staffed) -> Callable[..., Desk]:
    """Six sellers of one role, one of them on a second seat too, and one of another role."""
    names = ["Anna", "Ben", "Carl", "Dora", "Ed", "Flo", "Guy"]
    seats = [name.lower() for name in names]
    people = PEOPLE.replace("dora   south  seller  -", "dora   south  seller  Dora")
    more = "".join(f"{seat} south seller {seat.title()} - -\n" for seat in [*seats[4:], "more"])
    starts = "2020-01-01"
    rows = [
        (seat, name, starts, "hunter" if name != "Guy" else "farmer")
        for seat, name in zip(seats, names, strict=True)
    ]
    people_rows = pd.DataFrame(
        [*rows, ("more", "Anna", starts, "hunter")], columns=["node", "person", "start", "role"]
    )
    old = transactions()
    grown = [old, *(old[old["node"] == "carl"].assign(node=seat) for seat in [*seats[4:], "more"])]

    def _open(named: list[str]) -> Desk:
        return staffed(
            hierarchy=table(people + more), roster=people_rows, transactions=pd.concat(grown), targets=None,
            cycle={"leaderboard": named},
        )  # fmt: skip

    return _open


def test_a_leaderboard_ranks_people_of_a_role_and_names_only_who_opted_in(team) -> None:
    desk = team(["Anna", "Carl", "Guy", "Nobody"])
    paid = pay(desk)
    board = peers(desk, paid, measures_of(desk, paid, until=END)).set_index("payee")
    ranked = board[board["rank"].notna()]
    assert set(ranked["group"]) == {"hunter"}
    attained = paid.table(desk).set_index("payee")["attainment"]
    assert ranked["rank"].to_dict() == attained[ranked.index].rank(ascending=False, method="min").to_dict()
    assert "peer group below 5" in board.loc["Guy", "note"]
    seen = shown(board.reset_index())
    assert set(seen["payee"]) == {"Anna (anna)", "Anna (more)", "Carl"}  # by person, on each seat
    assert set(seen["others"]) == {4}
    assert shown(peers(desk, paid, measures_of(desk, paid, until=END)).assign(named=False)).empty


def test_a_leaderboard_is_frozen_when_the_quarter_is_over_and_a_change_is_found(planned) -> None:
    paid = pay(planned)
    board = peers(planned, paid, measures_of(planned, paid, until=END))
    assert frozen(planned, board, until=END - dt.timedelta(days=1)) is board
    kept = frozen(planned, board, until=END)
    assert set(kept["closed_on"]) == {"2026-06-30"}
    check_frozen(kept)
    check_frozen(kept.iloc[::-1])
    with pytest.raises(CheckError, match="not as it was frozen"):
        check_frozen(kept.assign(value=kept["value"] + 0.01))
    with pytest.raises(CheckError, match="not as it was frozen"):
        check_frozen(kept.iloc[1:])
    assert frozen(planned, board.iloc[:0], until=END).empty


def test_without_a_roster_nobody_has_a_peer_group(staffed) -> None:
    desk = staffed(roster=None)
    paid = pay(desk)
    board = peers(desk, paid, measures_of(desk, paid, until=END))
    assert set(board["note"]) == {"no peer group"}
    assert board["rank"].isna().all()
