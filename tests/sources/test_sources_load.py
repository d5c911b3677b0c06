"""Tables as they reach the planner: rows that can be used, and a word about every other row."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import SourceError, TableError
from spms_lib.findings import NOTED, REJECTED, rejected_rows
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import Flag, TableSource
from spms_lib.tables import LoadedTable, schema

UNUSUAL = "unusually large against the node's other months"


@pytest.fixture
def load(tmp_path: Path):
    """Write a table as a file and load it."""

    def write_and_load(table: str, text: str, **options) -> LoadedTable:
        (tmp_path / "t.csv").write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n")
        return load_file(table, TableSource(file="t.csv", **options), tmp_path)

    return write_and_load


def load_file(table: str, source: TableSource, folder: Path, *, start_month: int = 1) -> LoadedTable:
    return load_table(table, source, folder, calendar=FiscalCalendar(start_month=start_month), per_unit=100)


def told(loaded: LoadedTable, severity: str = REJECTED) -> list[tuple[int, str, str]]:
    some = loaded.findings[loaded.findings["severity"] == severity]
    return list(some[["row", "column", "rule"]].itertuples(index=False, name=None))


# -- columns -------------------------------------------------------------------------------------


def test_foreign_columns_are_mapped_and_own_names_are_found_in_any_capitals(load) -> None:
    loaded = load(
        "transactions",
        """
        EmployeeKey,Date,Sales,Extra
        272,2026-01-05,10.50,x
        """,
        columns={"node": "EmployeeKey", "value": "sales"},
    )
    assert list(loaded.rows.columns) == schema("transactions").names
    row = loaded.rows.loc[1]
    assert (row["node"], row["value"], row["measure"]) == ("272", 1050, "revenue")
    assert row["date"] == pd.Timestamp("2026-01-05")
    assert loaded.origin == "t.csv"


def test_types_are_those_of_the_contract(load) -> None:
    dirty = load(
        "opportunities", "opportunity,node,status,amount,close_date,as_of\n1,a,Won,5,2026-01-01,2026-01-02"
    )
    kinds = dirty.rows.dtypes.astype(str)
    assert kinds["amount"] == "int64"
    assert kinds["probability"] == "float64"
    assert kinds["created"].startswith("datetime64")
    assert kinds["stage"] == kinds["status"] == "str"
    assert load("roster", "node,person,start\na,Ann,2026-01-01").rows["target_incentive"].dtype == "Int64"


def test_a_constant_fills_a_column_for_every_row(load) -> None:
    loaded = load("targets", "node,value\na,1\nb,2", constants={"period": "2026Q1", "measure": "units"})
    assert loaded.rows[["period", "measure"]].to_numpy().tolist() == [["2026Q1", "units"]] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"value": "Amuont"}}, r"targets \(t.csv\): .*no column 'Amuont'.*Nearest names: amount"),
        ({}, r"no column for 'value'.*`columns` as 'value: <name in the source>'"),
        ({"columns": {"valu": "amount"}}, r"no column 'valu' to fill.*Nearest names: value"),
        ({"columns": {"value": "amount"}, "constants": {"value": "1"}}, "mapped and given as a constant"),
        ({"columns": {"value": "twice"}}, "2 columns 'twice'"),
        ({"columns": {"value": "amount"}, "flags": {"late": Flag("x", "y")}}, "no column 'late'"),
    ],
)
def test_a_column_that_is_not_there_is_refused_with_the_nearest_names(load, options, message: str) -> None:
    with pytest.raises(TableError, match=message):
        load("targets", "node,period,amount,twice,twice\na,2026-01,1,2,3", **options)


def test_of_two_columns_that_differ_in_capitals_the_exact_one_is_taken(load) -> None:
    assert load("targets", "node,period,Value,value\na,2026-01,1,2").rows["value"].item() == 200


# -- cells and rows ------------------------------------------------------------------------------


def test_every_row_that_cannot_be_used_says_why(load) -> None:
    loaded = load(
        "submissions",
        """
        node,period,category,value,submitted_by,submitted_at,confidence
        a,2026-01,Best Case,"1,200",Ann,2026-01-02T10:00:00Z,80%
        a,2026-01,upside,5,Ann,2026-01-02,
        a,2026-01,commit,tbd,Ann,2026-01-02,
        a,2026-01,commit,-,Ann,2026-01-02,
        ,2026-01,commit,5,Ann,2026-02-30,

        a,2026Q1,commit,5,Ann,2026-01-02,
        a,2026-01,commit,5,Ann
        a,2026-01,commit,5,Ann,2026-01-02,80
        """,
    )
    assert told(loaded) == [
        (2, "category", "not one of the known words"),
        (3, "value", "not a number"),
        (4, "value", "required value is missing"),
        (5, "node", "required value is missing"),
        (5, "submitted_at", "no such day"),
        (6, "", "row is empty"),
        (7, "period", "not a month"),
        (8, "", "line has too few cells"),
    ]
    assert told(loaded, NOTED) == [(9, "confidence", "ratio above 1; left empty")]
    assert loaded.rows.index.tolist() == [1, 9]
    assert loaded.rows["confidence"].tolist()[0] == 0.8
    assert pd.isna(loaded.rows["confidence"].tolist()[1])
    assert (loaded.rows_in, loaded.rejected) == (9, 7)
    assert set(loaded.findings["table"]) == {"submissions"}
    assert (loaded.findings["remedy"] != "").all()
    remedy = loaded.findings.set_index("row")["remedy"]
    assert "closed, commit, most_likely, best_case, pipeline" in remedy[2]


def test_missing_is_not_zero_and_an_optional_amount_may_be_missing(load) -> None:
    loaded = load(
        "roster", "node,person,start,target_incentive,fte\na,Ann,2026-01-01,-,0\nb,Ben,2026-01-01,0,"
    )
    assert loaded.rows["target_incentive"].tolist() == [pd.NA, 0]
    assert loaded.rows["fte"].isna().tolist() == [False, True]
    assert loaded.findings.empty


def test_an_optional_cell_that_cannot_be_read_does_not_cost_the_sale(load) -> None:
    loaded = load("transactions", "node,date,value,quantity\na,2026-01-05,1000,12 pcs")
    assert loaded.rows["value"].item() == 100000
    assert told(loaded, NOTED) == [(1, "quantity", "not a number; left empty")]


def test_a_bad_last_day_is_not_taken_as_still_valid(load) -> None:
    loaded = load("hierarchy", "node,parent,valid_to\na,,\nb,a,soon")
    assert told(loaded) == [(2, "valid_to", "not a date")]


def test_rounding_and_odd_days_are_noted_with_the_original_and_the_row_is_used(load) -> None:
    loaded = load("transactions", "node,date,value\na,46387,34.199999999\nb,nonsense,1.005")
    assert loaded.rows["value"].tolist() == [3420]
    assert told(loaded, NOTED) == [
        (1, "date", "day number of a spreadsheet, read as a day"),
        (1, "value", "more decimals than the currency has; rounded"),
    ]
    assert loaded.findings["value"].tolist() == ["46387", "34.199999999", "nonsense"]
    assert told(loaded) == [(2, "date", "not a date")]


@pytest.mark.parametrize(
    ("table", "text", "column", "expected"),
    [
        (
            "actuals",
            "node,period,value,measure\na,2026-01,1,\nb,2026-01,1,units",
            "measure",
            ["revenue", "units"],
        ),
        ("actuals", "node,period,value\na,2026-01,1", "measure", ["revenue"]),
        ("actuals", "node,period,value\na,2026-01,1", "product", [""]),
        ("actuals", "node,period,value,product\na,2026-01,1,\nb,2026-01,1,Bikes", "product", ["", "Bikes"]),
        ("targets", "node,period,value\na,2026-01,1", "measure", ["revenue"]),
        ("notes", "note,node,topic,text,author,written_at\n1,a,price,hm,Ann,2026-01-01", "status", ["open"]),
        (
            "decisions",
            "decision,cycle,node,type,text,owner,due,status\n1,2026Q1,a,hire,x,Ann,2026-02-01,\n2,2026Q1,a,hire,x,Ann,2026-02-01,done",
            "status",
            ["open", "done"],
        ),
    ],
)
def test_defaults_stand_where_nothing_is_said(
    load, table: str, text: str, column: str, expected: list[str]
) -> None:
    loaded = load(table, text)
    assert loaded.rows[column].tolist() == expected
    assert loaded.findings.empty


def test_day_first_and_decimal_are_those_of_the_source(load) -> None:
    loaded = load(
        "transactions",
        "node;date;value\na;03/04/2026;1.200,50 €\nb;12/31/2026;1200.50",
        day_first=True,
        decimal=",",
    )
    assert loaded.rows["date"].item() == pd.Timestamp("2026-04-03")
    assert loaded.rows["value"].item() == 120050
    assert [(row, column) for row, column, _ in told(loaded)] == [(2, "date"), (2, "value")]


# -- whole rows ----------------------------------------------------------------------------------


def test_the_first_of_two_rows_with_the_same_key_is_used(load) -> None:
    loaded = load(
        "targets",
        """
        node,period,value
        a,2026-01,x
        a,2026-01,1
        a,202601,1
        a,2026-01,2
        a,2026-02,1
        """,
    )
    assert told(loaded) == [
        (1, "value", "not a number"),
        (3, "node, period, measure", "row repeated"),
        (4, "node, period, measure", "another row has the same key"),
    ]
    assert loaded.rows["value"].tolist() == [100, 100]


def test_a_forecast_that_is_sent_again_is_no_repetition(load) -> None:
    line = "a,2026-01,commit,5,Ann"
    loaded = load(
        "submissions",
        f"node,period,category,value,submitted_by,submitted_at\n{line},2026-01-02\n{line},2026-01-03\n{line},2026-01-03",
    )
    assert told(loaded) == [(3, "node, period, category, submitted_at", "row repeated")]


def test_two_equal_sales_are_two_sales(load) -> None:
    assert len(load("transactions", "node,date,value\na,2026-01-05,10\na,2026-01-05,10").rows) == 2


def test_two_open_rows_of_one_node_collide(load) -> None:
    loaded = load("hierarchy", "node,parent,valid_from\nroot,,\na,root,\na,other,\na,other,2026-01-01")
    assert told(loaded) == [(3, "node, valid_from", "another row has the same key")]


@pytest.mark.parametrize(
    ("table", "text", "rule"),
    [
        ("hierarchy", "node,valid_from,valid_to\na,2026-02-01,2026-01-01", "valid_to is before valid_from"),
        (
            "opportunities",
            "opportunity,node,status,amount,created,close_date,as_of\n1,a,open,5,2026-02-01,2026-01-01,2026-01-01",
            "close_date is before created",
        ),
        ("roster", "node,person,start,end\na,Ann,2026-02-01,2026-01-01", "end is before start"),
        ("targets", "node,period,value\na,FY26,1", "neither a month nor a quarter"),
        ("actuals", "node,period,value\na,2026Q1,1", "not a month"),
    ],
)
def test_rows_that_contradict_themselves_are_left_out(load, table: str, text: str, rule: str) -> None:
    loaded = load(table, text)
    assert [found for _, _, found in told(loaded)] == [rule]
    assert loaded.rows.empty


def test_one_day_in_a_seat_is_no_contradiction(load) -> None:
    assert len(load("roster", "node,person,start,end\na,Ann,2026-02-01,2026-02-01").rows) == 1


def test_a_column_of_the_source_may_flag_rows_that_are_used(load) -> None:
    loaded = load(
        "transactions",
        "node,date,value,Outside\na,2026-01-01,1,true\na,2026-01-01,1,False\na,2026-01-01,1,\na,soon,1,1\na,2026-01-01,1,Y",
        flags={"outside": Flag("booked outside the region", "Check the assignment.", "node")},
    )
    assert told(loaded, NOTED) == [
        (1, "node", "booked outside the region"),
        (5, "node", "booked outside the region"),
    ]
    assert loaded.rejected == 1


def test_a_slip_of_a_digit_is_noted_in_its_month_only(load) -> None:
    months = [f"a,2026-{month:02d},{5000 if month == 6 else 500 + month}" for month in range(1, 13)]
    steady = [f"b,2026-{month:02d},{100 if month % 2 else 0}" for month in range(1, 13)]
    few = ["c,2026-01,1", "c,2026-02,100", "d,2026Q1,3000"]
    loaded = load("targets", "\n".join(["node,period,value", *months, *steady, *few]))
    assert told(loaded, NOTED) == [(6, "value", UNUSUAL)]


def test_the_order_of_the_file_does_not_matter_to_what_is_unusual(load) -> None:
    months = [f"a,2026-{month:02d},{5000 if month == 6 else 500}" for month in (7, 1, 6, 12, 3, 2, 9)]
    assert told(load("actuals", "\n".join(["node,period,value", *months])), NOTED) == [(3, "value", UNUSUAL)]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.sampled_from([0, 1, 2, 10, 60])),
        max_size=40,
        unique_by=lambda row: row[:2],
    )
)
def test_what_is_unusual_agrees_with_its_definition(rows: list[tuple[str, int, int]]) -> None:
    calendar = FiscalCalendar()
    lines = [f"{node},{calendar.shift('2024-01', month)},{value}" for node, month, value in rows]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.csv").write_text("\n".join(["node,period,value", *lines]))
        loaded = load_file("targets", TableSource(file="t.csv"), Path(folder))
    expected = []
    for number, (node, month, value) in enumerate(rows, start=1):
        own = sorted((m, v) for n, m, v in rows if n == node)
        at = own.index((month, value))
        around = [v for _, v in [*own[max(0, at - 6) : at], *own[at + 1 : at + 7]] if v]
        if len(around) >= 3 and value >= 5 * np.median(around):
            expected.append((number, "value", UNUSUAL))
    assert told(loaded, NOTED) == expected


# -- empty tables --------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["hierarchy", "transactions", "actuals"])
def test_a_cycle_cannot_start_from_an_empty_table(load, table: str) -> None:
    with pytest.raises(SourceError, match="holds no rows"):
        load(table, ",".join(schema(table).names))


@pytest.mark.parametrize(
    "table", ["targets", "submissions", "opportunities", "roster", "drivers", "notes", "decisions"]
)
def test_other_tables_may_be_empty(load, table: str) -> None:
    loaded = load(table, ",".join(schema(table).names))
    assert (len(loaded.rows), loaded.rows_in, len(loaded.findings)) == (0, 0, 0)
    assert list(loaded.rows.columns) == schema(table).names


def test_a_table_of_which_no_row_can_be_used_is_still_a_table(load) -> None:
    loaded = load("actuals", "node,period,value\na\nb,2026-01,x")
    assert (len(loaded.rows), loaded.rows_in, loaded.rejected) == (0, 2, 2)


# -- the law -------------------------------------------------------------------------------------

WORDS = (
    "a|b|-|NULL|0|1|1,5|$1,200.50|1.005|12 k|30%|30|tbd|2026-01|2026Q1|2026-01-05|2026-02-30|31/12/2026|46387"
    "|commit|Best Case|won"
)
CELLS = st.sampled_from([None, "", " ", '6" x', "x\ny", *WORDS.split("|")])


@settings(max_examples=40)
@given(
    st.data(),
    st.sampled_from(["hierarchy", "transactions", "actuals", "targets", "submissions", "opportunities"]),
)
def test_rows_in_are_rows_used_and_rows_rejected(data: st.DataObject, table: str) -> None:
    names = schema(table).names
    row = st.lists(CELLS, min_size=len(names), max_size=len(names))
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    rows += data.draw(st.lists(st.sampled_from(rows), max_size=2))  # some of them twice
    frame = pd.DataFrame(rows, columns=names, dtype="str")
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder) / "t.csv", index=False)
        text = (Path(folder) / "t.csv").read_text()
        broken = data.draw(st.booleans())
        if broken:
            (Path(folder) / "t.csv").write_text(text + "short,line\n")
        loaded = load_file(table, TableSource(file="t.csv"), Path(folder))
    assert loaded.rows_in == len(frame) + broken == len(loaded.rows) + rejected_rows(loaded.findings)
    left_out = set(loaded.findings.loc[loaded.findings["severity"] == REJECTED, "row"])
    assert left_out.isdisjoint(loaded.rows.index)
    assert left_out | set(loaded.rows.index) == set(range(1, loaded.rows_in + 1))
    assert set(loaded.findings.loc[loaded.findings["severity"] == NOTED, "row"]) <= set(loaded.rows.index)
    assert loaded.rows[schema(table).required].notna().all(axis=None)


# -- other formats -------------------------------------------------------------------------------


def test_one_table_is_the_same_from_every_format(tmp_path: Path) -> None:
    frame = pd.DataFrame({"node": ["a", "b"], "period": ["2026-01", "2026-02"], "value": [1234.5, -0.29]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    first = load_file("targets", TableSource(file="t.csv"), tmp_path)
    assert first.rows["value"].tolist() == [123450, -29]
    for source in (
        TableSource(file="t.csv.gz"),
        TableSource(file="t.parquet"),
        TableSource(file="t.xlsx", sheet="Sheet1"),
        TableSource(sql="select * from 't.parquet'"),
    ):
        other = load_file("targets", source, tmp_path)
        pd.testing.assert_frame_equal(other.rows, first.rows, check_index_type=False)
        assert other.origin == {None: source.file or "sql"}.get(source.sheet, "t.xlsx#Sheet1")


# -- real data -----------------------------------------------------------------------------------


@pytest.mark.real
def test_the_wide_targets_as_provided_are_the_long_ones_in_thousands(shared: Path) -> None:
    folder = shared / "data" / "adventureworks_dw2020"
    long = load_file(
        "targets",
        TableSource(
            file="Targets.csv",
            columns={"node": "EmployeeID", "period": "TargetMonth", "value": "TargetAmount"},
        ),
        folder,
    )
    sql = """
      select EmployeeID as node, Year || '-' || month[2:] as period, value
      from (unpivot (select * from read_csv('ResellerSalesTargets_asprovided.csv', all_varchar = true))
            on columns('^M[0-9]+$') into name month value value)
    """
    wide = load_file("targets", TableSource(sql=sql), folder)
    assert (long.rows_in, len(long.rows)) == (809, 809)
    assert wide.rows_in == 81 * 12
    assert wide.rejected == 81 * 12 - 809
    dashes = wide.findings[wide.findings["severity"] == REJECTED]
    assert set(dashes["value"]) == {"-"}
    keys = ["node", "period"]
    assert (
        (wide.rows.set_index(keys)["value"] * 1000)
        .sort_index()
        .equals(long.rows.set_index(keys)["value"].sort_index())
    )
    slips = long.rows.loc[long.findings["row"]]
    assert {"2020-09", "2021-09"} <= set(slips.loc[slips["value"] > 3_000_000_000, "period"])


@pytest.mark.real
def test_a_million_cents_of_real_sales_are_none_too_few(shared: Path) -> None:
    folder = shared / "data" / "adventureworks_dw2020"
    columns = {
        "transaction": "SalesOrderNumber",
        "node": "EmployeeKey",
        "date": "OrderDate",
        "value": "Sales",
    }
    loaded = load_file("transactions", TableSource(file="Sales.csv.gz", columns=columns), folder)
    raw = pd.read_csv(folder / "Sales.csv.gz", dtype=str)["Sales"]
    assert (loaded.rows_in, len(loaded.rows)) == (57_851, 57_851)
    assert loaded.rows["value"].sum() == sum(round(float(amount) * 100) for amount in raw)


@pytest.mark.real
def test_real_opportunities_are_all_used(shared: Path) -> None:
    columns = {
        "opportunity": "OpportunitySeq",
        "node": "SystemUserSeq",
        "amount": "Value",
        "created": "Opportunity Created On",
        "close_date": "CloseDate",
        "stage": "Sales Stage",
    }
    source = TableSource(file="Opportunities.csv.gz", columns=columns, constants={"as_of": "2021-11-09"})
    loaded = load_file("opportunities", source, shared / "data" / "regional_sales")
    assert len(loaded.rows) == 20_000
    assert (loaded.rows["status"] == "open").sum() == 5_333


@pytest.mark.real
def test_spreadsheet_day_numbers_of_a_real_export_are_days(shared: Path) -> None:
    columns = {
        "opportunity": "Opportunity ID",
        "node": "Partner ID",
        "amount": "ProductRevenue",
        "created": "Create Date",
        "close_date": "EstimatedCloseDate",
    }
    source = TableSource(
        file="Fact.csv", columns=columns, constants={"as_of": "2015-06-30", "status": "open"}
    )
    loaded = load_file("opportunities", source, shared / "data" / "revenue_opportunities")
    assert loaded.rows.loc[1, "created"] == pd.Timestamp("2014-02-09")
    assert (loaded.rows["close_date"] - loaded.rows["created"]).dt.days[
        1
    ] == 649  # 'Opportunity Days' of the file
