from pathlib import Path

import pandas as pd
import pytest

from spms_lib.errors import ParamsError
from spms_lib.sample import DIRT, build_sample
from spms_lib.tables import CATEGORIES, STATUSES, schemas

TABLES = (
    "hierarchy",
    "transactions",
    "targets",
    "submissions",
    "overrides",
    "opportunities",
    "roster",
    "drivers",
    "notes",
    "decisions",
)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.csv"))}


def test_the_same_seed_gives_the_same_bytes(usual, tmp_path):
    build_sample(tmp_path / "data", seed=7, sellers=80)
    assert contents(tmp_path) == contents(usual.folder)
    assert len(contents(tmp_path)) == len(TABLES) + 3


def test_another_seed_gives_another_company(usual, tmp_path):
    build_sample(tmp_path / "data", seed=8, sellers=80)
    other, same = contents(tmp_path), contents(usual.folder)
    assert [name for name in other if other[name] == same[name]] == []


def test_the_truth_can_be_kept_elsewhere(tmp_path):
    build_sample(tmp_path / "data", sellers=12, truth_folder=tmp_path / "hidden")
    assert sorted(file.name for file in (tmp_path / "hidden").iterdir()) == [
        "truth_expected.csv",
        "truth_managers.csv",
        "truth_sellers.csv",
    ]
    assert not (tmp_path / "truth").exists()


def test_the_answer_counts_the_rows_of_every_file(sample):
    stems = [Path(name).stem for name in sample.rows]
    assert sorted(stems) == sorted([*TABLES, "truth_sellers", "truth_expected", "truth_managers"])
    assert {f"{stem}.csv": len(sample.read(stem)) for stem in stems} == sample.rows


def test_too_few_sellers_are_refused_with_the_least_number():
    with pytest.raises(ParamsError, match=r"11 sellers are too few for 4 regions\. Ask for 12 or more"):
        build_sample(Path("never"), sellers=11)
    assert not Path("never").exists()


def test_files_have_the_size_of_a_real_company(usual):
    assert 10_000 <= usual.rows["transactions.csv"] <= 14_500
    assert 20_000 <= usual.rows["opportunities.csv"] <= 30_000
    assert 20_000 <= usual.rows["submissions.csv"] <= 25_000
    assert 1_000 <= usual.rows["overrides.csv"] <= 1_500
    by_month = usual.sales().groupby("month").size()
    assert len(by_month) == 39
    assert by_month.between(250, 400).all()


def test_fewer_seats_make_smaller_files(companies):
    small, usual = companies["small"].rows, companies["usual"].rows
    for name in ("transactions.csv", "opportunities.csv", "submissions.csv", "overrides.csv", "targets.csv"):
        assert small[name] < usual[name] / 3, name


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_one_of_the_data_dictionary_and_none_that_is_required_is_missing(sample, table):
    columns = list(sample.read(table).columns)
    assert set(columns) <= set(schemas()[table].names)
    assert set(schemas()[table].required) <= set(columns)


@pytest.mark.parametrize("table", TABLES)
def test_keys_are_unique_and_required_cells_are_filled(sample, table):
    frame, contract = sample.read(table), schemas()[table]
    keys = [key for key in contract.keys if key in frame]
    assert not (keys and frame.duplicated(keys).any())
    assert (frame[contract.required] != "").all().all()


def bad_cells(table: str, column: str, frame: pd.DataFrame, nodes: set[str]) -> list[str]:
    """Cells that the contract does not allow, judged without knowing what was put in."""
    kind = next(part.type for part in schemas()[table].columns if part.name == column)
    cells = frame[column]
    filled = cells != ""
    allowed = {
        "category": cells.isin(CATEGORIES),
        "status": cells.isin(STATUSES),
        "money": cells.str.fullmatch(r"-?\d+\.\d\d"),
        "number": pd.to_numeric(cells, errors="coerce").notna(),
        "ratio": pd.to_numeric(cells, errors="coerce").between(0, 1),
        "date": pd.to_datetime(cells, format="%Y-%m-%d", errors="coerce").notna(),
        "datetime": pd.to_datetime(cells, format="%Y-%m-%d %H:%M:%S", errors="coerce").notna(),
        "period": cells.str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])"),
        "text": cells.isin(nodes) if column == "node" else cells == cells.str.strip(),
    }[kind]
    return cells[filled & ~allowed].tolist()


def test_the_dirt_is_exactly_as_stated(sample):
    nodes = set(sample.read("hierarchy")["node"])
    found = {
        (table, column): bad_cells(table, column, frame, nodes)
        for table in TABLES
        for frame in [sample.read(table)]
        for column in frame.columns
    }
    stated = {(dirt.table, dirt.column): list(dirt.values) for dirt in DIRT}
    assert {place: cells for place, cells in found.items() if cells} == stated


def test_no_row_is_bad_in_two_ways(sample):
    sold = sample.read("transactions")
    assert sold["transaction"].str.startswith("X").sum() == 9  # 5 nodes + 3 values + 1 date
    sent = sample.read("submissions")
    assert ((sent["value"] == "tbd") & (sent["category"] == "upside")).sum() == 0


def test_the_words_without_an_amount_stand_in_the_current_cycle(sample):
    sent = sample.read("submissions")
    assert set(sent.loc[sent["value"] == "tbd", "period"]) <= {"2026-07", "2026-08", "2026-09"}
