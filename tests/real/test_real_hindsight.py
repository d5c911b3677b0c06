"""Adventure Works' own targets against our cascade of the same amounts, held to pandas on the raw files."""

from pathlib import Path

import pandas as pd
import pytest
from toys import ROOT

from spms_lib.cycle import open_cycle
from spms_lib.cycle.hindsight import CASCADE, FROM_TOP, GIVEN, WITHIN, Hindsight, past_targets_against_cascade

pytestmark = pytest.mark.real
QUARTERS = ["2018Q2", "2018Q3", "2018Q4", "2019Q1", "2019Q2", "2019Q3", "2019Q4", "2020Q1", "2020Q2"]


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "adventureworks_dw2020"


@pytest.fixture(scope="module")
def desk(folder: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPMS_ROOT", str(ROOT))
        yield open_cycle("adventureworks_dw2020", "2020Q3", data=str(folder))


@pytest.fixture(scope="module")
def seen(desk) -> Hindsight:
    return past_targets_against_cascade(desk, 10, wanted={"history": 1.0})


def fiscal_quarter(month: pd.Series) -> pd.Series:
    """July to September 2019 is 2020Q1."""
    dates = pd.to_datetime(month)
    return (dates + pd.DateOffset(months=6)).dt.to_period("Q").astype(str)


@pytest.fixture(scope="module")
def raw(folder: Path) -> dict[str, pd.DataFrame]:
    """Targets and sales of sellers straight from the files: seller x quarter, and sales seller x month; dollars."""
    people = pd.read_csv(folder / "Salesperson.csv").set_index("EmployeeID")
    targets = pd.read_csv(folder / "Targets.csv").join(people, on="EmployeeID")
    targets = targets[targets["Title"] == "Sales Representative"]
    targets["quarter"] = fiscal_quarter(targets["TargetMonth"])
    asked = targets.pivot_table(index="EmployeeKey", columns="quarter", values="TargetAmount", aggfunc="sum")
    months = targets.pivot_table(
        index="EmployeeKey", columns="quarter", values="TargetAmount", aggfunc="count"
    )
    lines = pd.read_csv(folder / "Sales.csv.gz")
    by_month = lines.groupby(["EmployeeKey", lines["OrderDate"].str[:7]])["Sales"].sum().unstack()
    there = by_month.notna().cummax(axis=1)
    sold = by_month.fillna(0.0).where(there)
    return {"asked": asked.where(months == 3), "sold": sold}


def test_the_quarters_that_have_both_targets_and_results(seen: Hindsight) -> None:
    assert list(dict.fromkeys(seen.cells["period"])) == QUARTERS
    assert seen.left_out.loc[0, ["period", "reason"]].tolist() == ["2018Q1", "no result is known before it"]


def test_both_distribute_the_same_amount_to_the_cent_and_levels_are_not_added(
    seen: Hindsight, raw: dict[str, pd.DataFrame]
) -> None:
    cells = seen.cells[seen.cells["source"] != FROM_TOP]
    sums = cells.groupby(["level", "period", "source"])["value"].sum().unstack("source")
    assert (sums[GIVEN] == sums[CASCADE]).all()
    assert (sums[GIVEN] == sums[WITHIN]).all()
    sellers = cells[(cells["level"] == "seller") & (cells["source"] == GIVEN)]
    for row in sellers.itertuples():
        assert row.value == raw["asked"].loc[int(row.node), row.period] * 100
    sums_of = seen.levels.set_index(["level", "source"])["target"]
    assert sums_of["company", GIVEN] == 83_200_000_00
    assert sums_of["company", GIVEN] != sums_of["seller", GIVEN]


def test_our_split_is_the_history_of_the_day_before_by_pandas(
    seen: Hindsight, raw: dict[str, pd.DataFrame]
) -> None:
    """In the fiscal year 2018 nobody was new, so a seller's share is the mean month so far."""
    sold = raw["sold"]
    for quarter, first in (("2018Q2", "2017-10"), ("2018Q3", "2018-01"), ("2018Q4", "2018-04")):
        mine = seen.cells.query("level == 'seller' and period == @quarter and source == @CASCADE")
        past = sold.loc[mine["node"].astype(int), sold.columns < first].mean(axis=1)
        total = raw["asked"].loc[past.index, quarter].sum() * 100
        assert mine["value"].to_numpy() == pytest.approx((total * past / past.sum()).to_numpy(), abs=1.0)


def test_the_figures_of_sellers_are_those_of_pandas(seen: Hindsight, raw: dict[str, pd.DataFrame]) -> None:
    sold = raw["sold"].T
    by_quarter = sold.groupby(fiscal_quarter(pd.Series(sold.index, sold.index)))
    actual = by_quarter.sum(min_count=3).T
    both = pd.DataFrame({"asked": raw["asked"].unstack(), "sold": actual.unstack()}).dropna()
    both = both[both.index.get_level_values(0).isin(QUARTERS)]
    given = seen.levels.set_index(["level", "source"]).loc["seller", GIVEN]
    error, reached = both["asked"] - both["sold"], both["sold"] / both["asked"]
    assert given["n"] == len(both)
    assert given["actual"] == pytest.approx(both["sold"].sum() * 100)
    assert given["wape"] == pytest.approx(error.abs().sum() / both["sold"].sum())
    assert given["bias_ratio"] == pytest.approx(error.sum() / both["sold"].sum())
    assert given["at_or_above"] == pytest.approx((reached >= 1).mean())
    assert given["within_20"] == pytest.approx(reached.between(0.8, 1.2).mean())
    each = reached.groupby(level=0)
    assert given["cv"] == pytest.approx((each.std(ddof=0) / each.mean()).mean())
    assert given["iqr"] == pytest.approx((each.quantile(0.75) - each.quantile(0.25)).mean())


def test_the_slips_that_the_findings_note_can_be_left_out(desk) -> None:
    told = past_targets_against_cascade(desk, 10, without_noted=True).left_out
    slips = told[told["reason"].str.contains("unusually large")]
    assert set(zip(slips["period"], slips["level"], strict=True)) >= {
        ("2020Q1", "company"),
        ("2020Q1", "seller"),
    }


def test_a_team_that_did_not_exist_yet_has_no_part_of_the_companys_target(seen: Hindsight) -> None:
    """Europe and the Pacific have sellers today; in 2018 nobody had a target or a sale there."""
    top = seen.cells[seen.cells["source"] == FROM_TOP].set_index(["node", "period"])["value"]
    assert top["team_272", "2018Q2"] == top["company", "2018Q2"] == 4_950_000_00
    assert top["team_272", "2019Q2"] < top["company", "2019Q2"]
