"""Reading a company: every row is used or rejected with a finding, and totals still add up."""

import pandas as pd
import pytest

from spms_lib.cycle.inputs import input_fingerprint
from spms_lib.errors import SourceError, SpmsError

from firms import QUARTER, SIZE, everything, sales, set_goals, targets, transactions  # isort: skip
from toys import table  # isort: skip


def cents(frame: pd.DataFrame) -> int:
    return int((frame["value"] * 100).round().sum())


def with_rows(frame: pd.DataFrame, *rows: tuple) -> pd.DataFrame:
    return pd.concat([frame, pd.DataFrame(rows, columns=frame.columns)], ignore_index=True)


def test_results_on_unknown_nodes_are_rejected_by_name_and_totals_still_add_up(opened) -> None:
    given = with_rows(transactions(), ("zoe", "2026-03-01", 77.0, "device"), ("anna", "soon", 5.0, "device"))
    desk = opened(transactions=given)
    loaded = desk.tables["transactions"]
    rejected = loaded.findings[loaded.findings["severity"] == "rejected"]
    assert rejected[["row", "value"]].values.tolist() == [
        [len(given) - 1 + 1, "soon"],
        [len(given) - 1, "zoe"],
    ]
    assert loaded.rows_in == len(given) == len(loaded.rows) + 2
    left_out = given.iloc[rejected["row"] - 1]
    assert int(desk.results["value"].sum()) + cents(left_out) == cents(given)
    assert desk.sources["adds_up"].all()


def test_sales_booked_on_a_manager_are_rejected_with_a_remedy(opened) -> None:
    desk = opened(transactions=with_rows(transactions(), ("north", "2026-03-01", 77.0, "device")))
    found = desk.tables["transactions"].findings.iloc[-1]
    assert found[["rule", "value", "severity"]].tolist() == [
        "booked on a node that has children",
        "north",
        "rejected",
    ]
    assert int(desk.results["value"].sum()) == cents(transactions())


def test_a_territory_keeps_what_it_sold_before_it_was_split(opened) -> None:
    """Anna's territory becomes two seats in 2026: her sales until then are good rows, one booked after is not."""
    people = everything()["hierarchy"]
    split = table("""
        node   parent level  owner valid_from valid_to
        anna_1 anna   seller Anna  2026-01-01 -
        anna_2 anna   seller Alma  2026-01-01 -
        """)
    sold = transactions()
    sold.loc[(sold["node"] == "anna") & (sold["date"] >= "2026"), "node"] = "anna_1"
    desk = opened(
        hierarchy=pd.concat([people, split]),
        transactions=with_rows(sold, ("anna", "2026-01-20", 1.0, "device")),
        targets=None, submissions=None, opportunities=None, roster=None,
    )  # fmt: skip
    loaded = desk.tables["transactions"]
    assert loaded.findings[["value", "rule"]].values.tolist() == [
        ["anna", "booked on a node that has children"]
    ]
    history = desk.history()
    before = pd.DataFrame(sales()).T.loc[:, :"2026-03"].sum() * 100
    assert history.loc["acme"].to_dict() == pytest.approx(before.to_dict())
    assert history.loc["anna", "2025-12"] == pytest.approx(sales()["anna"]["2025-12"] * 100)


def test_a_forecast_for_a_node_with_children_is_said_to_be_left_out(opened) -> None:
    sent = everything()["submissions"]
    manager = sent[sent["node"] == "anna"].assign(node="north", submitted_by="Nina")
    desk = opened(submissions=pd.concat([sent, manager]))
    loaded = desk.tables["submissions"]
    assert loaded.rejected == len(manager)
    assert set(loaded.findings["value"]) == {"north"}


def test_a_sale_outside_the_seats_time_is_used_and_noted(opened) -> None:
    desk = opened(transactions=with_rows(transactions(), ("emil", "2026-02-01", 10.0, "device")))
    notes = desk.tables["transactions"].findings
    assert notes[["severity", "value"]].values.tolist() == [["noted", "2026-02-01"]]
    assert int(desk.results["value"].sum()) == cents(transactions()) + 1000


def test_months_instead_of_single_sales_give_the_same_actuals(opened, acme) -> None:
    sold = transactions()
    by_month = sold.assign(period=sold["date"].str[:7])[["node", "period", "value", "product"]]
    desk = opened(transactions=None, actuals=by_month)
    pd.testing.assert_frame_equal(desk.results, acme.results)
    pd.testing.assert_frame_equal(desk.history(), acme.history())


def test_only_the_planned_measure_is_added(opened, acme) -> None:
    sold = transactions()
    pieces = sold.assign(measure="pieces", value=1.0)
    desk = opened(transactions=pd.concat([sold.assign(measure="revenue"), pieces]))
    pd.testing.assert_frame_equal(desk.results, acme.results)


def test_splits_of_unknown_sales_and_leave_of_unknown_people_are_rejected_and_a_pool_is_noted(opened) -> None:
    sold = transactions().assign(transaction=lambda rows: [f"T{number}" for number in rows.index])
    splits = table("""
        transaction payee credit_type share
        T1          Anna  revenue     0.5
        T1          ben   revenue     0.25
        T1          house revenue     0.25
        T999999     Anna  revenue     1
        """)
    leave = table("""
        payee start      end
        Anna  2026-05-01 2026-05-31
        Nina  2026-05-01 2026-05-31
        anan  2026-05-01 2026-05-31
        """)
    desk = opened(transactions=sold, splits=splits, leave=leave)
    found = desk.findings[desk.findings["table"].isin(["splits", "leave"])].set_index("value")
    assert found[["table", "severity"]].to_numpy().tolist() == [
        ["splits", "rejected"],
        ["splits", "noted"],
        ["leave", "rejected"],
    ]
    assert found.index.tolist() == ["T999999", "house", "anan"]
    assert desk.table("splits")["payee"].tolist() == ["Anna", "ben", "house"]
    assert desk.table("leave")["payee"].tolist() == ["Anna", "Nina"]


def test_a_month_with_sales_and_no_target_is_noted_and_not_read_as_zero(opened) -> None:
    set_by = targets()
    hole = (set_by["node"] == "anna") & (set_by["period"] == "2025-05")
    desk = opened(targets=set_by[~hole])
    notes = desk.tables["targets"].findings
    assert "anna 2025-05" in notes["value"].tolist()
    assert desk.tables["targets"].rejected == 0


def test_a_folder_that_is_not_there_is_refused_by_name(firm) -> None:
    firm.write(everything())
    with pytest.raises(SourceError, match=r"data folder 'nowhere' does not exist.*--data"):
        firm.desk(data="nowhere")


def test_another_folder_can_be_named_for_one_run(firm, tmp_path) -> None:
    firm.write(everything())
    (firm.root / "data").rename(firm.root / "elsewhere")
    assert len(firm.desk(data="elsewhere").results) > 0
    assert len(firm.desk(data=str(firm.root / "elsewhere")).results) > 0


def test_a_fingerprint_changes_with_its_file_and_only_with_it(firm) -> None:
    firm.write(everything())
    company = firm.desk().company
    before = input_fingerprint(company, firm.root)
    (firm.root / "data" / "targets.csv").write_text("node,period,value\nanna,2026-04,1\n")
    after = input_fingerprint(company, firm.root)
    assert {name for name in before if before[name] != after[name]} == {"targets"}


def test_a_file_in_a_folder_of_its_own_has_a_fingerprint_too(firm) -> None:
    firm.write(everything())
    company = firm.desk().company
    nested = company.model_copy(
        update={
            "tables": {
                **company.tables,
                "targets": company.tables["targets"].model_copy(update={"file": "old/t.csv"}),
            }
        }
    )
    (firm.root / "data" / "old").mkdir()
    (firm.root / "data" / "old" / "t.csv").write_text("node,period,value\n")
    first = input_fingerprint(nested, firm.root)["targets"]
    (firm.root / "data" / "old" / "t.csv").write_text("node,period,value\nanna,2026-04,1\n")
    assert first
    assert input_fingerprint(nested, firm.root)["targets"] != first


def test_a_company_of_another_name_and_a_missing_cycle_are_refused(firm) -> None:
    firm.write(everything(), company="other")
    with pytest.raises(SpmsError, match="names the company 'other', but its folder is 'acme'"):
        firm.desk()
    with pytest.raises(SpmsError, match=r"no such file.*2026Q2"):
        firm.desk("2026Q1")


def test_the_toy_company_is_what_its_tests_believe(acme) -> None:
    assert set(SIZE) == {"anna", "ben", "carl", "dora", "emil", "gina"}
    assert acme.months == QUARTER
    assert acme.findings.empty
    assert acme.sources["rows_rejected"].sum() == 0


def test_a_company_of_one_node_is_a_company(opened) -> None:
    alone = table("node parent level\nacme - company")
    desk = opened(
        hierarchy=alone, transactions=transactions().assign(node="acme"), targets=None, submissions=None,
        opportunities=None, roster=None, cycle={"over_assignment": {}},
    )  # fmt: skip
    assert desk.findings.empty
    target, base, _ = set_goals(desk)
    assert base.loc["acme"].sum() == target
