"""The evidence of the past: every source on the same footing, at the lead it had then."""

import pandas as pd
import pytest

from spms_lib.cycle.evidence import past_actuals, past_forecasts, past_quarters, past_submissions
from spms_lib.goals.baseline import baseline

from firms import sales, submissions, targets  # isort: skip


def at(rows: pd.DataFrame, source: str, node: str, month: str) -> float:
    mine = rows[(rows["source"] == source) & (rows["node"] == node) & (rows["period"] == month)]
    return float(mine["value"].item())


def test_past_quarters_are_those_that_had_ended_when_the_plan_was_made(acme, opened) -> None:
    assert past_quarters(acme, 3) == ["2025Q3", "2025Q4", "2026Q1"]
    assert past_quarters(acme, 0) == []
    early = opened(cycle={"plan_as_of": "2026-02-15"})
    assert past_quarters(early, 2) == ["2025Q3", "2025Q4"]


def test_past_submissions_are_heard_with_the_lead_of_this_cycle_to_the_second(opened) -> None:
    """This cycle hears nine days into the quarter, so the last one did too."""
    sent = submissions()
    in_time, late = ("2025-10-10 23:59:59", "2025-10-11 00:00:00")
    more = [
        ("ben", "2025-10", "commit", 11.0, "Ben", in_time),
        ("ben", "2025-10", "commit", 99.0, "Ben", late),
    ]
    desk = opened(submissions=pd.concat([sent, pd.DataFrame(more, columns=sent.columns)]))
    heard = past_submissions(desk, ["2025Q4"])
    assert at(heard, "bottom_up", "ben", "2025-10") == 1100.0
    assert set(heard["period"]) == {"2025-10", "2025-11", "2025-12"}


def test_bottom_up_is_what_was_said_and_a_silent_seat_counts_with_its_baseline(acme) -> None:
    rows = past_forecasts(acme)
    month = "2026-02"
    euros = {node: sales()[node][month] * 100 for node in ("anna", "ben", "carl")}
    walk = baseline(acme.history().loc[:, :"2025-12"], [month], acme.calendar)[month]
    assert at(rows, "bottom_up", "north", month) == pytest.approx(0.9 * euros["anna"] + euros["ben"], abs=2)
    assert at(rows, "bottom_up", "south", month) == pytest.approx(
        1.2 * euros["carl"] + walk["dora"] + at_emil(acme, month), abs=2
    )


def at_emil(desk, month: str) -> float:
    """Emil's seat closed after December: what the baseline expected of it then still belongs to the south."""
    past = desk.actuals(until=desk.params.plan_as_of).loc[["emil"]]
    whole = pd.concat([desk.history(), past]).loc[:, :"2025-12"]
    return float(baseline(whole, [month], desk.calendar).loc["emil", month])


def test_a_seat_that_has_closed_since_is_heard_where_it_sat(opened, acme) -> None:
    sent = submissions()
    emil = sent[(sent["node"] == "ben") & (sent["period"] == "2025-11")].assign(node="emil", value=500.0)
    desk = opened(submissions=pd.concat([sent, emil[emil["category"] == "commit"]]))
    with_him, without = (past_forecasts(one) for one in (desk, acme))
    his_baseline = at_emil_before(acme)
    moved = at(with_him, "bottom_up", "south", "2025-11") - at(without, "bottom_up", "south", "2025-11")
    assert moved == pytest.approx(50_000 - his_baseline, abs=2)


def at_emil_before(desk) -> float:
    past = desk.actuals(until=desk.params.plan_as_of).loc[["emil"]]
    whole = pd.concat([desk.history(), past]).loc[:, :"2025-09"]
    return float(baseline(whole, ["2025-11"], desk.calendar).loc["emil", "2025-11"])


def test_every_source_is_compared_with_what_really_came_also_from_closed_seats(acme) -> None:
    actual = past_actuals(acme).set_index(["node", "period"])["value"]
    everyone = sum(months.get("2025-12", 0.0) for months in sales().values()) * 100
    assert actual["acme", "2025-12"] == pytest.approx(everyone)
    rows = past_forecasts(acme)
    assert at(rows, "top_down", "acme", "2025-12") == pytest.approx(1.05 * everyone, rel=1e-3)


def test_a_past_without_one_side_keeps_the_other(opened) -> None:
    assert set(past_forecasts(opened(targets=None))["source"]) == {"bottom_up", "baseline", "seasonal_naive"}
    assert set(past_forecasts(opened(submissions=None))["source"]) == {
        "top_down",
        "baseline",
        "seasonal_naive",
    }


def test_targets_of_another_measure_are_no_evidence(opened, acme) -> None:
    pieces = pd.concat([targets().assign(measure="revenue"), targets().assign(measure="pieces", value=1.0)])
    pd.testing.assert_frame_equal(past_forecasts(opened(targets=pieces)), past_forecasts(acme))
