"""Files, workbooks and databases as frames of text; no path out of the folder, no secret in a message."""

import datetime as dt
import sqlite3
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa

from spms_lib.errors import SourceError
from spms_lib.sources.database import _without_secrets
from spms_lib.sources.read import read_raw
from spms_lib.sources.spec import TableSource
from spms_lib.sources.text_of import text_of


def rows(source: TableSource, folder: Path) -> list[list[str | None]]:
    frame, found = read_raw(source, folder)
    assert found.empty
    assert list(frame.index) == list(range(1, len(frame) + 1))
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.to_numpy().tolist()]


# -- the folder ----------------------------------------------------------------------------------


def test_a_missing_file_is_refused_with_the_nearest_names(tmp_path: Path) -> None:
    (tmp_path / "Targets.csv").write_text("a\n1\n")
    with pytest.raises(SourceError, match=r"no file 'target\.csv'.*Targets\.csv"):
        read_raw(TableSource(file="target.csv"), tmp_path)


@pytest.mark.parametrize("name", ["../secret.csv", "{parent}/secret.csv", "sub/../../secret.csv", "link.csv"])
def test_files_outside_the_data_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(SourceError, match="outside the data folder"):
        read_raw(TableSource(file=name.format(parent=tmp_path)), folder)


def test_a_path_that_leads_back_into_the_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "t.csv").write_text("a\n1\n")
    assert rows(TableSource(file="sub/../t.csv"), tmp_path) == [["1"]]
    assert rows(TableSource(file=str(tmp_path / "t.csv")), tmp_path) == [["1"]]


def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "t.xls").write_bytes(b"old")
    with pytest.raises(SourceError, match=r"'\.xls' cannot be read.*\.xlsx"):
        read_raw(TableSource(file="t.xls"), tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"file": "a", "sql": "b"},
        {"file": "a", "url_env": "X"},
        {"file": "a", "decimal": ";"},
        {"file": "a", "delimiter": ",,"},
    ],
)
def test_a_source_that_contradicts_itself_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SourceError):
        TableSource(**wrong)


# -- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (float("nan"), None),
        (272, "272"),
        (272.0, "272"),
        (0.1, "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.10"), "1.10"),
        (True, "true"),
        (dt.date(2026, 11, 9), "2026-11-09"),
        (dt.datetime(2026, 11, 9), "2026-11-09"),
        (dt.datetime(2026, 11, 9, 10, 30), "2026-11-09T10:30:00"),
        (b"\x01", "01"),
    ],
)
def test_typed_cells_become_text_that_loses_nothing(value: object, text: str | None) -> None:
    assert text_of(value) == text


# -- Excel ---------------------------------------------------------------------------------------


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Plan"
    for row in [
        [None, None, None],
        ["node", "day", "value"],
        [272, dt.datetime(2026, 11, 9), 1234.5],
        [None, None, None],
        ["b", "2026-11-10", "n/a", "spilled"],
        [None, "  ", None],
    ]:
        book.active.append(row)
    book.create_sheet("Notes").append(["only a header"])
    book.save(tmp_path / "plan.xlsx")
    return tmp_path


def test_a_sheet_is_read_with_dates_as_days_and_rows_numbered_below_the_header(workbook: Path) -> None:
    frame, _ = read_raw(TableSource(file="plan.xlsx"), workbook)
    assert list(frame.columns) == ["node", "day", "value", ""]
    assert frame.loc[1, ["node", "day", "value"]].tolist() == ["272", "2026-11-09", "1234.5"]
    assert frame.loc[2].isna().all()
    assert frame.loc[3, "node"] == "b"
    assert len(frame) == 3  # empty rows at the end are not rows


def test_typed_numbers_follow_the_decimal_mark_of_the_source(workbook: Path) -> None:
    frame, _ = read_raw(TableSource(file="plan.xlsx", decimal=","), workbook)
    assert frame.loc[1, "value"] == "1234,5"


def test_a_sheet_is_found_by_name_or_refused_with_the_names(workbook: Path) -> None:
    assert read_raw(TableSource(file="plan.xlsx", sheet="Notes"), workbook)[0].empty
    with pytest.raises(SourceError, match=r"no sheet 'Goals'.*Plan, Notes"):
        read_raw(TableSource(file="plan.xlsx", sheet="Goals"), workbook)


def test_a_workbook_that_tells_a_wrong_size_is_read_whole(workbook: Path) -> None:
    with (
        zipfile.ZipFile(workbook / "plan.xlsx") as good,
        zipfile.ZipFile(workbook / "wrong.xlsx", "w") as wrong,
    ):
        for name in good.namelist():
            wrong.writestr(
                name, good.read(name).replace(b'<dimension ref="A1:D6"', b'<dimension ref="A1:A3"')
            )
    right = read_raw(TableSource(file="plan.xlsx"), workbook)[0]
    pd.testing.assert_frame_equal(read_raw(TableSource(file="wrong.xlsx"), workbook)[0], right)


def test_a_text_file_named_like_a_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_text("a,b\n")
    with pytest.raises(SourceError, match="not an Excel workbook"):
        read_raw(TableSource(file="t.xlsx"), tmp_path)


# -- DuckDB and Parquet --------------------------------------------------------------------------


def test_a_query_joins_two_files_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("rep,value\n1,010\n2,020\n")
    (tmp_path / "reps.csv").write_text("rep,node\n1,anna\n2,ben\n")
    sql = """
      -- don't stop at an apostrophe in a comment
      select node, value from read_csv('sales.csv', all_varchar = true) sales
      join read_csv('reps.csv', all_varchar = true) using (rep) order by rep;
    """
    assert rows(TableSource(sql=sql), tmp_path) == [["anna", "010"], ["ben", "020"]]


def test_typed_results_become_text_without_loss(tmp_path: Path) -> None:
    sql = """select 1.10::decimal(10,2) a, date '2026-01-02' b, timestamp '2026-01-02 03:04:05' c,
      timestamp '2026-01-02 00:00:00' d, true e, 272.0::double f, 12345678901234567890::hugeint g, null h, '' i,
      timestamptz '2026-01-02 03:04:05+02' j, 1.5::double k"""
    (row,) = rows(TableSource(sql=sql), tmp_path)
    assert row == [
        "1.10", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02", "true", "272", "12345678901234567890", None, None,
        "2026-01-02T01:04:05+00", "1.5",
    ]  # fmt: skip
    assert rows(TableSource(sql="select 1.5::double, 'a.b', 2.50::decimal(4,2)", decimal=","), tmp_path) == [
        ["1,5", "a.b", "2,50"]
    ]


def test_the_folder_s_file_is_read_wherever_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, data = tmp_path / "here", tmp_path / "a, b's data"
    for folder in (here, data):
        folder.mkdir()
        (folder / "t.csv").write_text("a\ninside\n" if folder == data else "a\noutside\n")
    (here / "only_here.csv").write_text("a\n1\n")
    monkeypatch.chdir(here)
    assert rows(TableSource(sql="select * from 't.csv'"), data) == [["inside"]]
    assert len(rows(TableSource(sql="select * from read_csv('*.csv', all_varchar = true)"), data)) == 1
    with pytest.raises(SourceError, match=r"no file 'only_here\.csv'.*t\.csv"):
        read_raw(TableSource(sql="select * from 'only_here.csv'"), data)


def test_a_query_reads_nothing_outside_the_folder_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    folder = tmp_path / "data"
    folder.mkdir()
    for name in (f"{tmp_path}/secret.csv", "../secret.csv"):
        with pytest.raises(SourceError, match="outside the data folder"):
            read_raw(TableSource(sql=f"select * from read_csv('{name}')"), folder)
    with pytest.raises(SourceError, match="query failed"):
        read_raw(TableSource(sql="copy (select 1) to 'out.csv'"), folder)
    assert list(folder.iterdir()) == []


def test_a_query_that_fails_is_refused_with_the_database_s_first_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="syntax error") as refusal:
        read_raw(TableSource(sql="selec 1"), tmp_path)
    assert "\n" not in str(refusal.value)
    assert str(tmp_path) not in str(refusal.value)
    frame = pd.DataFrame({"a": [1]})  # a variable of the program is no table
    with pytest.raises(SourceError, match="frame"):
        read_raw(TableSource(sql="select * from frame"), tmp_path)
    assert len(frame) == 1


def test_parquet_keeps_what_its_types_say(tmp_path: Path) -> None:
    typed = pd.DataFrame(
        {"node": [1.0, None], "day": pd.to_datetime(["2026-11-09", None]), "value": [Decimal("0.10"), None]}
    )
    typed.to_parquet(tmp_path / "it's.parquet", index=False)
    assert rows(TableSource(file="it's.parquet"), tmp_path) == [
        ["1", "2026-11-09", "0.10"],
        [None, None, None],
    ]
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(SourceError) as refusal:
        read_raw(TableSource(file="bad.parquet"), tmp_path)
    assert str(tmp_path) not in str(refusal.value)


# -- databases -----------------------------------------------------------------------------------


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    with sqlite3.connect(tmp_path / "crm.db") as base:
        base.execute("create table sales (node text, value real, day text)")
        base.execute("insert into sales values ('a', 12.5, '10:30'), ('b', null, '50% :off')")
    base.close()
    monkeypatch.setenv("SPMS_TEST_URL", f"sqlite:///{tmp_path / 'crm.db'}")
    return "SPMS_TEST_URL"


def test_a_database_answers_through_a_url_of_the_environment(crm: str, tmp_path: Path) -> None:
    source = TableSource(
        sql="select node, value, day from sales where day like '%:%' order by node", url_env=crm
    )
    assert rows(source, tmp_path) == [["a", "12.5", "10:30"], ["b", None, "50% :off"]]


def test_a_query_to_a_database_changes_nothing(crm: str, tmp_path: Path) -> None:
    source = TableSource(sql="delete from sales returning node, value, day", url_env=crm)
    assert len(rows(source, tmp_path)) == 2
    assert len(rows(TableSource(sql="select * from sales", url_env=crm), tmp_path)) == 2


def test_a_refusal_of_the_database_is_told_in_its_first_line(crm: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such table: orders") as refusal:
        read_raw(TableSource(sql="select * from orders", url_env=crm), tmp_path)
    assert "sqlite:///" not in str(refusal.value)


def test_a_statement_without_rows_is_refused(crm: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not return rows"):
        read_raw(TableSource(sql="delete from sales", url_env=crm), tmp_path)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPMS_TEST_URL", raising=False)
    with pytest.raises(SourceError, match="'SPMS_TEST_URL' is not set"):
        read_raw(TableSource(sql="select 1", url_env="SPMS_TEST_URL"), tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "geheim-hunter2",
        "nonsense://bob:hunter2@host/base",
        "sqlite:////no/such/folder/hunter2.db",
        "postgresql+nodriver://bob:hunter2@host/base",
        "postgresql://bob:hunter2@host:port/base",
    ],
)
def test_no_message_holds_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SPMS_TEST_URL", url)
    with pytest.raises(SourceError) as refusal:
        read_raw(TableSource(sql="select 1", url_env="SPMS_TEST_URL"), tmp_path)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None  # a traceback would print the driver's message as well
    assert refusal.value.__suppress_context__


def test_what_a_driver_repeats_of_the_url_is_blotted_out() -> None:
    url = sa.make_url("postgresql://bob:hunt%40er2@host/base?sslpassword=hunter3")
    message = (
        f"cannot use {url.render_as_string(hide_password=False)}: hunt@er2 and hunter3 are wrong for host"
    )
    assert _without_secrets(message, url) == "cannot use ***: *** and *** are wrong for host"
