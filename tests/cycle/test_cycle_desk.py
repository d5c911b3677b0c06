"""The desk: the tree of the first day, a past that is whole, and nothing known too early."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.errors import CheckError, HierarchyError, ParamsError, TableError

from firms import MONTHS, QUARTER, everything, sales, transactions  # isort: skip

KNOWN = [month for month in MONTHS if month <= "2026-03"]


def euros(*nodes: str) -> pd.Series:
    """Sales of some nodes by month until the plan, in cents; missing months are nobody's."""
    return pd.DataFrame(sales()).T.loc[list(nodes), KNOWN].sum() * 100


def test_the_tree_is_the_organisation_of_the_quarters_first_day(acme) -> None:
    assert acme.tree.leaves.tolist() == ["anna", "ben", "carl", "dora"]  # not Emil, not yet Gina
    assert acme.tree.path("ben") == ["acme", "north", "ben"]
    assert acme.review_level == "region"


def test_the_companys_past_is_everything_that_was_sold_also_by_seats_that_have_closed(acme) -> None:
    history = acme.history()
    assert history.loc["acme"].to_dict() == pytest.approx(
        euros("anna", "ben", "carl", "dora", "emil").to_dict()
    )
    assert history.loc["south"].to_dict() == pytest.approx(euros("carl", "dora", "emil").to_dict())
    assert list(history.columns) == KNOWN


def test_a_seat_that_moved_brings_its_past_to_its_present_region(acme) -> None:
    assert acme.history().loc["north"].to_dict() == pytest.approx(euros("anna", "ben").to_dict())


def test_every_node_there_ever_was_has_one_carrier_in_the_tree(acme) -> None:
    assert acme.carrier[["ben", "emil", "gina", "acme"]].to_dict() == {
        "ben": "ben", "emil": "south", "gina": "north", "acme": "acme",
    }  # fmt: skip


def test_a_closed_team_hands_its_past_to_the_nearest_node_that_is_left(opened) -> None:
    """Emil sat in a team of the south; both closed. Ben's old team closed and its parent with it."""
    people = pd.DataFrame(
        [
            ("acme", None, "company", None, None),
            ("south", "acme", "region", None, None),
            ("team", "south", "team", None, "2025-12-31"),
            ("emil", "team", "seller", None, "2025-12-31"),
            ("west", "acme", "region", None, "2025-12-31"),
            ("old", "west", "team", None, "2025-06-30"),
            ("ben", "old", "seller", None, "2025-06-30"),
            *((node, "south", "seller", None, None) for node in ("anna", "carl", "dora", "gina")),
        ],
        columns=["node", "parent", "level", "valid_from", "valid_to"],
    )
    sold = transactions()
    desk = opened(
        hierarchy=people, transactions=sold, targets=None, submissions=None, opportunities=None, roster=None
    )
    history = desk.history()
    assert desk.carrier[["emil", "team", "ben"]].tolist() == ["south", "south", "acme"]
    assert history.loc["acme"].to_dict() == pytest.approx(
        euros("anna", "ben", "carl", "dora", "emil").to_dict()
    )
    assert history.loc["south"].to_dict() == pytest.approx(euros("anna", "carl", "dora", "emil").to_dict())


def test_the_plan_knows_nothing_that_came_after_its_day(opened, acme) -> None:
    sold = transactions()
    later = sold["date"] > "2026-03-31"
    desk = opened(transactions=sold.assign(value=sold["value"].where(~later, sold["value"] * 99)))
    pd.testing.assert_frame_equal(desk.history(), acme.history())
    only_past = opened(transactions=sold[~later])
    pd.testing.assert_frame_equal(only_past.history(), acme.history())


def test_a_month_is_known_when_it_has_ended(acme) -> None:
    assert acme.actuals(until=dt.date(2026, 3, 30)).columns[-1] == "2026-02"
    assert acme.actuals(until=dt.date(2026, 3, 31)).columns[-1] == "2026-03"
    assert acme.actuals(until=dt.date(2020, 1, 1)).shape[1] == 0


def test_before_its_first_sale_a_leaf_is_missing_and_afterwards_a_quiet_month_is_zero(opened) -> None:
    sold = transactions()
    quiet = (sold["node"] == "anna") & sold["date"].str.startswith(("2024-01", "2025-07"))
    actual = opened(transactions=sold[~quiet]).actuals()
    assert pd.isna(actual.loc["anna", "2024-01"])
    assert actual.loc["anna", "2025-07"] == 0.0
    assert actual.loc["gina", :"2026-04"].isna().all()


def test_results_stay_where_they_were_earned_and_sum_to_everything(acme) -> None:
    earned = acme.as_earned("region", MONTHS)
    assert int(earned.to_numpy().sum()) == int(acme.results["value"].sum())
    ben = pd.DataFrame(sales()).T.loc["ben"] * 100
    anna = pd.DataFrame(sales()).T.loc["anna"] * 100
    assert earned.loc["north", "2025-12"] == round(anna["2025-12"])  # Ben was in the south then
    assert earned.loc["north", "2026-01"] == round(anna["2026-01"] + ben["2026-01"])


def test_what_was_sold_before_there_was_an_organisation_is_outside_and_still_counted(opened) -> None:
    people = everything()["hierarchy"].fillna({"valid_from": "2025-01-01"})
    desk = opened(hierarchy=people)
    earned = desk.as_earned("region", MONTHS)
    assert int(earned.to_numpy().sum()) == int(desk.results["value"].sum())
    outside = earned.loc["(outside)", [month for month in MONTHS if month < "2025"]]
    assert (outside > 0).all()


def test_an_unknown_level_of_earnings_is_all_outside_and_no_months_are_no_earnings(acme) -> None:
    assert acme.as_earned("galaxy", QUARTER).index.tolist() == ["(outside)"]
    assert acme.as_earned("region", []).empty


def test_an_edition_sees_its_region_only(firm) -> None:
    firm.write(everything())
    desk = firm.desk(region="north")
    assert desk.scope.nodes.tolist() == ["north", "anna", "ben"]
    assert desk.tree.root == "acme"
    with pytest.raises(HierarchyError, match=r"no node 'nort'.*Did you mean north"):
        _ = firm.desk(region="nort").scope


def test_a_table_the_company_does_not_have_is_empty_and_one_nobody_has_is_refused(acme) -> None:
    assert acme.table("notes").empty
    assert "written_at" in acme.table("notes")
    assert not acme.has("notes")
    with pytest.raises(TableError, match="no table named 'rumours'"):
        acme.table("rumours")


def test_a_check_that_does_not_hold_fails_the_run_after_it_is_written(firm) -> None:
    desk = firm.write(everything()).desk(notebook="goal_setting")
    desk.check("parts sum to the whole", passed=True)
    assert desk.finish("done") == "done"
    desk.check("the sky is green", passed=False, detail="blue")
    with pytest.raises(CheckError, match=r"1 checks did not hold: the sky is green \(blue\)"):
        desk.finish("done")
    assert "the sky is green" in (desk.folder / "checks.json").read_text()
    assert desk.checks["passed"].tolist() == [True, False]


def test_tables_are_kept_beside_the_report_and_found_by_other_notebooks(firm) -> None:
    firm.write(everything())
    desk, other = firm.desk(notebook="goal_setting"), firm.desk(notebook="review", region="north")
    frame = pd.DataFrame({"node": ["anna"], "value": [5]})
    assert desk.keep(targets=frame) == ["targets.csv"]
    pd.testing.assert_frame_equal(other.kept("goal_setting", "targets"), frame)
    assert other.kept("goal_setting", "nothing") is None
    assert desk.folder.name == "goal_setting"
    assert other.folder.name == "review-north"
    assert not list(desk.folder.glob(".*"))


def test_nobody_signs_without_a_name(acme, monkeypatch) -> None:
    assert acme.author == "Tester"
    monkeypatch.delenv("SPMS_AUTHOR")
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert acme.author == "ada"
    monkeypatch.delenv("JUPYTERHUB_USER")
    monkeypatch.setattr("getpass.getuser", lambda: (_ for _ in ()).throw(KeyError("uid not found")))
    with pytest.raises(ParamsError, match="Set SPMS_AUTHOR"):
        _ = acme.author


def test_amounts_are_read_in_the_companys_own_minor_units(acme) -> None:
    assert acme.per_unit == 100
    assert acme.money(123456789) == "€1.23M"
    assert acme.money(None) == "–"
