"""Exports of three CRM systems in their own headers and words, read through the one reader of tables."""

from pathlib import Path

import pandas as pd
import pytest

from spms_lib.calendar import FiscalCalendar
from spms_lib.errors import SourceError, TableError
from spms_lib.findings import NOTED, REJECTED
from spms_lib.sources.crm import CRMS, crm_export
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource
from spms_lib.tables import LoadedTable, schema

DAY = {"as_of": "2026-11-24"}
ASKED = [
    "opportunity",
    "node",
    "status",
    "stage",
    "category",
    "amount",
    "probability",
    "created",
    "close_date",
]


@pytest.fixture
def load(tmp_path: Path):
    """Write an export as a file and load it."""

    def write_and_load(text: str, *, name: str = "deals.csv", **options) -> LoadedTable:
        write(tmp_path, name, text)
        source = TableSource(**({"file": name, "constants": DAY} | options))
        return load_table("opportunities", source, tmp_path, calendar=FiscalCalendar(), per_unit=100)

    return write_and_load


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n")


def told(loaded: LoadedTable, severity: str = REJECTED) -> list[tuple[int, str, str]]:
    some = loaded.findings[loaded.findings["severity"] == severity]
    return list(some[["row", "column", "rule"]].itertuples(index=False, name=None))


def cells(loaded: LoadedTable, columns: list[str] = ASKED) -> list[tuple]:
    days = loaded.rows.select_dtypes("datetime").columns
    shown = loaded.rows.assign(**{day: loaded.rows[day].dt.strftime("%Y-%m-%d") for day in days})[columns]
    return [tuple(row) for row in shown.astype(object).where(shown.notna(), None).itertuples(index=False)]


SALESFORCE_API = """
    Id,OwnerId,Owner.Name,StageName,ForecastCategoryName,Amount,Probability,CreatedDate,CloseDate,IsClosed,IsWon,LastStageChangeDate,Type
    006A1,005X,Ann Lee,Prospecting,Pipeline,1200.5,10.0,2026-09-01T08:30:00.000+0000,2026-12-15,false,false,2026-10-02T00:00:00.000+0000,New Business
    006A2,005X,Ann Lee,Negotiation,Commit,900,90.0,2026-08-01T08:30:00.000+0000,2026-11-30,false,false,,Existing Business
    006A3,005Y,Bo Mai,Closed Won,Closed,5000,100.0,2026-05-01T08:30:00.000+0000,2026-10-10,true,true,,
    006A4,005Y,Bo Mai,Closed Lost,Omitted,700,0.0,2026-05-01T08:30:00.000+0000,2026-10-11,true,false,,
    006A5,005Y,Bo Mai,Prospecting,Omitted,300,10.0,2026-05-01T08:30:00.000+0000,2026-12-31,false,false,,
"""
SALESFORCE_REPORT = """
    Opportunity ID,Opportunity Owner,Stage,Forecast Category,Amount,Probability (%),Created Date,Close Date,Closed,Won,Last Stage Change Date,Type
    006A1,Ann Lee,Prospecting,Pipeline,"USD 1,200.50",10%,9/1/2026,12/15/2026,0,0,10/2/2026,New Business
    006A2,Ann Lee,Negotiation,Commit,USD 900.00,90%,8/1/2026,11/30/2026,0,0,,Existing Business
    006A3,Bo Mai,Closed Won,Closed,"USD 5,000.00",100%,5/1/2026,10/10/2026,1,1,,
    006A4,Bo Mai,Closed Lost,Omitted,USD 700.00,0%,5/1/2026,10/11/2026,1,0,,
    006A5,Bo Mai,Prospecting,Omitted,USD 300.00,10%,5/1/2026,12/31/2026,0,0,,
"""
SALESFORCE = [
    ("006A1", "Ann Lee", "open", "Prospecting", "pipeline", 120050, 0.1, "2026-09-01", "2026-12-15"),
    ("006A2", "Ann Lee", "open", "Negotiation", "commit", 90000, 0.9, "2026-08-01", "2026-11-30"),
    ("006A3", "Bo Mai", "won", "Closed Won", "closed", 500000, 1.0, "2026-05-01", "2026-10-10"),
    ("006A4", "Bo Mai", "lost", "Closed Lost", None, 70000, 0.0, "2026-05-01", "2026-10-11"),
    ("006A5", "Bo Mai", "open", "Prospecting", None, 30000, 0.1, "2026-05-01", "2026-12-31"),
]


@pytest.mark.parametrize("text", [SALESFORCE_API, SALESFORCE_REPORT])
def test_a_salesforce_export_reads_the_same_from_the_api_and_from_a_report(load, text: str) -> None:
    loaded = load(text, crm="salesforce")
    assert cells(loaded) == SALESFORCE
    assert cells(loaded, ["stage_since", "segment"])[0] == ("2026-10-02", "New Business")
    assert told(loaded) == []
    assert told(loaded, NOTED) == [
        (5, "category", "omitted from the forecast")
    ]  # a lost deal is in none anyway


HUBSPOT_PAGE = """
    Record ID,Deal Name,Deal owner,Deal Stage,Forecast category,Amount,Deal probability,Create Date,Close Date,Is Closed Won,Is closed lost,Date entered current stage,Deal Type
    71,One,Ann Lee,Decision Maker Bought-In,Best case,1000,0.4,2026-09-01 10:15,2026-12-15 10:15,false,false,2026-10-02 09:00,newbusiness
    72,Two,Ann Lee,Qualified To Buy,Not forecasted,2000,0.2,2026-09-01 10:15,2026-12-15 10:15,false,false,,existingbusiness
    73,Three,Bo Mai,Closed Won,Closed won,3000.50,1.0,2026-09-01 10:15,2026-10-15 10:15,true,false,,
    74,Four,,Closed Lost,Pipeline,400,0.0,2026-09-01 10:15,2026-10-15 10:15,false,true,,
"""
HUBSPOT_API = """
    hs_object_id,hubspot_owner_id,dealstage,hs_manual_forecast_category,amount,hs_deal_stage_probability,createdate,closedate,hs_is_closed,hs_is_closed_won
    71,Ann Lee,Decision Maker Bought-In,BEST_CASE,1000,0.4,2026-09-01T10:15:00.123Z,2026-12-15T10:15:00Z,false,false
    72,Ann Lee,Qualified To Buy,OMIT,2000,0.2,2026-09-01T10:15:00.123Z,2026-12-15T10:15:00Z,,
    73,Bo Mai,Closed Won,CLOSED,3000.50,1.0,2026-09-01T10:15:00.123Z,2026-10-15T10:15:00Z,true,true
    74,,Closed Lost,PIPELINE,400,0.0,2026-09-01T10:15:00.123Z,2026-10-15T10:15:00Z,true,false
"""


@pytest.mark.parametrize("text", [HUBSPOT_PAGE, HUBSPOT_API])
def test_a_hubspot_export_reads_the_same_from_the_page_and_from_the_api(load, text: str) -> None:
    loaded = load(text, crm="hubspot")
    assert cells(loaded) == [
        (
            "71",
            "Ann Lee",
            "open",
            "Decision Maker Bought-In",
            "best_case",
            100000,
            0.4,
            "2026-09-01",
            "2026-12-15",
        ),
        ("72", "Ann Lee", "open", "Qualified To Buy", None, 200000, 0.2, "2026-09-01", "2026-12-15"),
        ("73", "Bo Mai", "won", "Closed Won", "closed", 300050, 1.0, "2026-09-01", "2026-10-15"),
    ]
    assert told(loaded) == [(4, "node", "required value is missing")]  # nobody owns it
    assert (2, "category", "omitted from the forecast") in told(loaded, NOTED)


DYNAMICS_VIEW = """
    (Do Not Modify) Opportunity,(Do Not Modify) Row Checksum,Topic,Account,Owner,Pipeline Phase,Forecast category,Status,Est. revenue,Actual Revenue,Probability,Est. close date,Actual Close Date,Created On
    {D1},x,Pumps,Fabrikam,Ann Lee,2-Develop,Committed,Open,1500.25,,60,2026-12-01,,2026-07-01
    {D2},x,Valves,Contoso,Bo Mai,4-Close,Won,Won,2000,1800,100,2026-12-01,2026-10-20,2026-07-01
    {D3},x,Pipes,Contoso,Bo Mai,1-Qualify,Lost,Lost,900,0,20,2026-12-01,2026-09-30,2026-07-01
    {D4},x,Taps,Contoso,Bo Mai,1-Qualify,Omitted,Open,100,,1,2026-12-01,,2026-07-01
"""
DYNAMICS_API = """
    opportunityid,customerid,ownerid,stepname,msdyn_forecastcategory,statecode,estimatedvalue,actualvalue,closeprobability,estimatedclosedate,actualclosedate,createdon
    {D1},Fabrikam,Ann Lee,2-Develop,100000003,0,1500.25,,60,2026-12-01,,2026-07-01T09:00:00Z
    {D2},Contoso,Bo Mai,4-Close,100000005,1,2000,1800,100,2026-12-01,2026-10-20,2026-07-01T09:00:00Z
    {D3},Contoso,Bo Mai,1-Qualify,100000006,2,900,0,20,2026-12-01,2026-09-30,2026-07-01T09:00:00Z
    {D4},Contoso,Bo Mai,1-Qualify,100000004,0,100,,1,2026-12-01,,2026-07-01T09:00:00Z
"""


@pytest.mark.parametrize("text", [DYNAMICS_VIEW, DYNAMICS_API])
def test_a_dynamics_deal_has_its_estimate_until_it_is_won_and_its_real_day_once_it_is_closed(
    load, text
) -> None:
    """A lost deal keeps its estimate as amount: its actual revenue is nothing, which no win rate may divide by."""
    loaded = load(text, crm="dynamics")
    assert cells(loaded) == [
        ("{D1}", "Ann Lee", "open", "2-Develop", "commit", 150025, 0.6, "2026-07-01", "2026-12-01"),
        ("{D2}", "Bo Mai", "won", "4-Close", "closed", 180000, 1.0, "2026-07-01", "2026-10-20"),
        ("{D3}", "Bo Mai", "lost", "1-Qualify", None, 90000, 0.2, "2026-07-01", "2026-09-30"),
        ("{D4}", "Bo Mai", "open", "1-Qualify", None, 10000, 0.01, "2026-07-01", "2026-12-01"),
    ]
    assert told(loaded, NOTED) == [(4, "category", "omitted from the forecast")]


def test_what_the_params_map_goes_before_what_is_known_of_the_crm(load) -> None:
    text = SALESFORCE_API.replace("StageName", "StageName,ARR").replace("Prospecting,", "Prospecting,77,")
    text = text.replace("Negotiation,", "Negotiation,78,").replace("Closed Won,", "Closed Won,79,")
    loaded = load(
        text.replace("Closed Lost,", "Closed Lost,80,"),
        crm="salesforce",
        columns={"amount": "ARR", "node": "OwnerId"},
        words={"node": {"005x": "seat_1"}, "category": {"Pipeline": "best_case"}},
    )
    assert loaded.rows["amount"].tolist() == [7700, 7800, 7900, 8000, 7700]
    assert loaded.rows["node"].tolist() == ["seat_1", "seat_1", "005Y", "005Y", "005Y"]
    assert loaded.rows["category"].tolist()[:2] == ["best_case", "commit"]


def test_a_stage_gives_the_category_of_an_open_deal_that_has_none_and_never_of_an_omitted_one(load) -> None:
    text = SALESFORCE_API.replace("Negotiation,Commit", "Negotiation,").replace("Won,Closed", "Won,")
    loaded = load(
        text, crm="salesforce", stage_categories={"prospecting": "pipeline", "Negotiation": "best_case"}
    )
    assert loaded.rows["category"].astype(object).where(loaded.rows["category"].notna(), None).tolist() == [
        "pipeline", "best_case", None, None, None,
    ]  # fmt: skip


def test_amounts_in_another_currency_are_refused_and_not_added_up(load) -> None:
    text = """
        Id,Opportunity Owner,StageName,Amount,CurrencyIsoCode,CloseDate,IsClosed,IsWon
        1,Ann,A,100,EUR,2026-12-01,false,false
        2,Ann,A,100,EUR,2026-12-01,false,false
        3,Ann,A,100,USD,2026-12-01,false,false
    """
    loaded = load(text, crm="salesforce")
    assert loaded.rows["opportunity"].tolist() == ["1", "2"]
    assert told(loaded) == [(3, "amount", "another currency than the rest of the column")]
    one_currency = text.replace("Amount,", "Amount (converted),")
    assert len(load(one_currency, crm="salesforce").rows) == 3


def test_a_status_that_nobody_states_is_refused_with_the_columns_to_export(load) -> None:
    with pytest.raises(TableError, match="IsClosed, IsWon"):
        load("Id,Opportunity Owner,StageName,Amount,CloseDate\n1,Ann,A,1,2026-12-01", crm="salesforce")
    by_stage = load(
        "Id,Opportunity Owner,StageName,Amount,CloseDate\n1,Ann,Signed,1,2026-12-01\n2,Ann,A,1,2026-12-01",
        crm="salesforce",
        columns={"status": "StageName"},
        words={"status": {"Signed": "won", "*": "open"}},
    )
    assert by_stage.rows["status"].tolist() == ["won", "open"]
    broken = load(
        SALESFORCE_API.replace("2026-12-15,false,false", "2026-12-15,maybe,false"), crm="salesforce"
    )
    assert told(broken) == [(1, "status", "not one of the known words")]


def test_an_export_without_a_day_is_refused(load) -> None:
    with pytest.raises(TableError, match="on which day"):
        load(SALESFORCE_API, crm="salesforce", constants={})


def test_a_crm_is_known_for_opportunities_only(tmp_path: Path) -> None:
    write(tmp_path, "t.csv", "node,date,value\na,2026-01-01,1")
    with pytest.raises(SourceError, match="opportunities only"):
        load_table(
            "transactions",
            TableSource(file="t.csv", crm="salesforce"),
            tmp_path,
            calendar=FiscalCalendar(),
            per_unit=100,
        )
    with pytest.raises(SourceError, match="Known: salesforce"):
        crm_export("rolodex")


@pytest.mark.parametrize("crm", CRMS)
def test_every_header_leads_to_a_column_of_ours(crm: str) -> None:
    export, names = crm_export(crm), set(schema("opportunities").names)
    used = {*export.columns, *export.when_won, *export.when_closed, *export.percent, *export.words}
    assert used <= names
    assert {"opportunity", "node", "stage", "category", "amount", "close_date"} <= set(export.columns)


def test_a_late_evening_elsewhere_is_the_next_day_here(load) -> None:
    """HubSpot's API writes midnight of 1 July in Berlin as 22:00 of 30 June in UTC: another quarter."""
    text = HUBSPOT_API.replace("2026-12-15T10:15:00Z", "2026-06-30T22:00:00Z").replace(
        "2026-09-01", "2026-03-01"
    )
    assert cells(load(text, crm="hubspot"), ["close_date"])[0] == ("2026-06-30",)
    berlin = load(text, crm="hubspot", time_zone="Europe/Berlin")
    assert cells(berlin, ["close_date"])[0] == ("2026-07-01",)
    with pytest.raises(SourceError, match="no time zone"):
        load(text, crm="hubspot", time_zone="Berlin")


# -- dated exports ----------------------------------------------------------------------------------


def test_dated_exports_are_snapshots_of_the_day_in_their_names(tmp_path: Path) -> None:
    write(tmp_path, "opportunities_2026-10-31.csv", SALESFORCE_REPORT)
    write(
        tmp_path,
        "opportunities_20261130.csv",
        SALESFORCE_REPORT + "006A6,Bo Mai,x,Commit,n/k,1%,,1/1/2027,0,0,,\n",
    )
    write(tmp_path, "other_2026-10-31.csv", "a\n1")
    source = TableSource(file="opportunities_*.csv", crm="salesforce", as_of_from="file name")
    loaded = load_table("opportunities", source, tmp_path, calendar=FiscalCalendar(), per_unit=100)
    assert loaded.rows["as_of"].dt.strftime("%Y-%m-%d").value_counts().to_dict() == {
        "2026-10-31": 5, "2026-11-30": 5,
    }  # fmt: skip
    assert cells(loaded)[:5] == SALESFORCE == cells(loaded)[5:]
    assert told(loaded) == [(11, "amount", "not a number")]  # rows are counted on from file to file
    assert loaded.rows_in == 11


def test_lines_that_cannot_be_read_keep_their_place_among_several_files(tmp_path: Path) -> None:
    write(
        tmp_path, "d_2026-01-31.csv", "opportunity,node,status,amount,close_date\na,n,open,1,2026-02-01\nb,n"
    )
    write(tmp_path, "d_2026-02-28.csv", "opportunity,node,status,amount,close_date\nc\na,n,open,1,2026-03-01")
    source = TableSource(file="d_*.csv", as_of_from="file name")
    loaded = load_table("opportunities", source, tmp_path, calendar=FiscalCalendar(), per_unit=100)
    assert [(row, rule) for row, _, rule in told(loaded)] == [
        (2, "line has too few cells"), (3, "line has too few cells"),
    ]  # fmt: skip
    assert loaded.rows.index.tolist() == [1, 4]


@pytest.mark.parametrize(
    ("name", "pattern", "words"),
    [
        ("deals.csv", "deals.csv", "holds no day"),
        ("deals_2026-01-31_2026-02-28.csv", "deals*.csv", "more than one day"),
        ("deals_2026-02-30.csv", "deals*.csv", "holds no day"),
        ("deals_2026-01-31.csv", "offers*.csv", "no file"),
        ("deals_2026-01-31.csv", "../*.csv", "outside the data folder"),
    ],
)
def test_a_file_without_its_day_is_refused_by_name(
    tmp_path: Path, name: str, pattern: str, words: str
) -> None:
    write(tmp_path, name, "opportunity,node,status,amount,close_date\na,n,open,1,2026-02-01")
    source = TableSource(file=pattern, as_of_from="file name")
    with pytest.raises(SourceError, match=words):
        load_table("opportunities", source, tmp_path, calendar=FiscalCalendar(), per_unit=100)


def test_a_column_added_to_the_export_later_is_missing_before(tmp_path: Path) -> None:
    write(tmp_path, "d_2026-01-31.csv", "opportunity,node,status,amount,close_date\na,n,open,1,2026-02-01")
    write(
        tmp_path,
        "d_2026-02-28.csv",
        "opportunity,node,status,amount,close_date,stage\na,n,open,1,2026-03-01,s",
    )
    source = TableSource(file="d_*.csv", as_of_from="file name")
    loaded = load_table("opportunities", source, tmp_path, calendar=FiscalCalendar(), per_unit=100)
    assert loaded.rows["stage"].isna().tolist() == [True, False]
    assert pd.notna(loaded.rows["stage"].iloc[1])
