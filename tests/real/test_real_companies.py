"""Two companies whose data nobody here wrote, from raw files to a review, held to three lines of pandas."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from toys import ROOT

from spms_lib.batch.run import run_cycle
from spms_lib.batch.tasks import GRAPH
from spms_lib.commitments import conservation_gaps
from spms_lib.cycle import open_cycle, planning
from spms_lib.cycle.desk import Desk
from spms_lib.cycle.objectives import supplied_targets
from spms_lib.cycle.targets import read_plan, read_targets

pytestmark = pytest.mark.real

COMPANIES = {"adventureworks_dw2020": "2020Q3", "regional_sales": "2021Q4"}


@dataclass
class Run:
    """One company after its run."""

    folder: Path
    data: Path
    manifest: dict
    desk: Desk


@pytest.fixture(scope="module", params=COMPANIES)
def run(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a company's cycle through Papermill once."""
    company, cycle = request.param, COMPANIES[request.param]
    data, out = shared / "data" / company, tmp_path_factory.mktemp(company)
    result = run_cycle(ROOT / "params" / company / f"{cycle}.yaml", data=str(data), out=str(out), jobs=2)
    assert result.exit_code == 0, result.manifest["notebooks"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPMS_ROOT", str(ROOT))
        patch.setenv("SPMS_OUT", str(out))
        desk = open_cycle(company, cycle, data=str(data))
        assert desk.ledger_file.is_file()
        _ = desk.ledger, desk.tree
        yield Run(result.folder, data, result.manifest, desk)


def raw_sales(run: Run) -> int:
    """All actual sales in cents, from the raw file."""
    if run.desk.company.company == "regional_sales":
        deals = pd.read_csv(run.data / "Opportunities.csv.gz")
        return int(deals[deals["Status"] == "Won"]["Value"].sum()) * 100
    lines = pd.read_csv(run.data / "Sales.csv.gz", dtype=str)
    return int(sum(map(Decimal, lines["Sales"])) * 100)


def test_every_notebook_ran_and_every_check_held(run: Run) -> None:
    assert {entry["status"] for entry in run.manifest["notebooks"]} == {"done"}
    assert len(run.manifest["notebooks"]) == len(GRAPH) + 3  # the review once for each of three regions
    assert run.manifest["checks"]
    assert all(entry["passed"] for entry in run.manifest["checks"])


def test_the_reviews_total_of_actual_sales_is_the_raw_files_to_the_cent(run: Run) -> None:
    totals = pd.read_csv(run.folder / "tables" / "review" / "totals.csv")
    assert int(totals["value"].iloc[0]) == raw_sales(run)
    html = (run.folder / "html" / "10_review.html").read_text(encoding="utf-8")
    assert f"${raw_sales(run) / 100:,.2f}" in html


def test_rows_in_are_rows_used_plus_rejected(run: Run) -> None:
    counts = {table["table"]: table["rows_in"] for table in run.manifest["tables"]}
    for table in run.manifest["tables"]:
        assert table["rows_in"] == table["rows_used"] + table["rows_rejected"]
    if run.desk.company.company == "regional_sales":
        assert counts == {"hierarchy": 24, "transactions": 7282, "opportunities": 20000}
    else:
        assert counts == {"hierarchy": 21, "transactions": 57851, "targets": 809}


def test_the_quirks_of_the_readme_come_out_as_findings(run: Run) -> None:
    rules = {entry["rule"]: entry["count"] for entry in run.manifest["findings"]}
    if run.desk.company.company == "regional_sales":
        assert rules["open, but its closing day has come"] == 7
        deals = run.desk.findings
        late = deals[
            (deals["table"] == "opportunities") & (deals["rule"] == "closed on a day after the snapshot")
        ]
        assert len(late) == 8
    else:
        assert rules["booked in a region the seller is not assigned to"] == 19_169
        assert rules["sales, but no target in this month"] == 1
        slips = run.desk.findings[
            run.desk.findings["rule"] == "unusually large against the node's other months"
        ]
        director = run.desk.table("targets").loc[slips["row"]]
        months = set(director[director["node"] == "company"]["period"])
        assert {"2020-09", "2021-09"} <= months


def test_managers_targets_are_not_counted_twice(run: Run) -> None:
    if run.desk.company.company != "adventureworks_dw2020":
        pytest.skip("this company supplies no targets")
    table = supplied_targets(run.desk).set_index("level")
    raw = pd.read_csv(run.data / "Targets.csv")["TargetAmount"].sum()
    assert table.loc["company", "sum_of_all_rows"] == raw * 100 == 676_210_000_00
    managers = int(table.loc[["company", "team"], "sum"].sum())
    assert round(managers / 100 / 1e6) == 354  # what the managers' rows hold of the 676 million
    assert table.loc["seller", "sum"] == 676_210_000_00 - managers
    plan = read_targets(run.desk)
    assert int(plan.iloc[0].sum()) == 6_000_000_00  # the director's own rows for the quarter, once
    assert int(plan.loc[run.desk.tree.leaves].to_numpy().sum()) == 6_000_000_00


def test_the_open_opportunities_are_those_of_the_snapshot(run: Run) -> None:
    if run.desk.company.company != "regional_sales":
        pytest.skip("this company has no opportunities")
    deals = run.desk.table("opportunities")
    assert (deals["status"] == "open").sum() == 5333
    kept = pd.read_csv(run.folder / "tables" / "forecast_collection" / "pipeline.csv")
    raw = pd.read_csv(run.data / "Opportunities.csv.gz", parse_dates=["CloseDate"]).query("Status == 'Open'")
    due = raw[raw["CloseDate"].clip(lower=pd.Timestamp("2021-11-09")) <= pd.Timestamp("2021-12-31")]
    whole = kept.set_index("node").loc[run.desk.tree.root]
    assert whole["no_category"] == due["Value"].sum() * 100  # this CRM has stages and no forecast categories
    assert whole["weighted"] == pytest.approx((due["Value"] * due["Probability"]).sum() * 100)


def test_every_parent_of_the_committed_plan_equals_its_children(run: Run) -> None:
    plan = read_plan(run.desk)
    assert not conservation_gaps(run.desk.tree, plan.to_numpy()).any()
    assert run.desk.ledger.verify().empty


def test_every_number_of_the_plan_is_the_sum_of_its_contributions_to_the_cent(run: Run) -> None:
    estimates = planning.gather_estimates(run.desk)
    weighed = planning.weigh(run.desk, estimates, planning.learn_trust(run.desk), leadership=0.5)
    plan = planning.reconcile_quarter(run.desk, weighed)
    assert planning.contributions_add_up(plan)
    assert plan.certificate.holds(1e-9)
    parts = plan.contributions.groupby(["node", "period"])["value"].sum().unstack("period")
    pd.testing.assert_frame_equal(
        parts.loc[plan.commitments.index].round().astype("int64"), plan.commitments, check_names=False
    )
    assert plan.commitments.equals(read_plan(run.desk)[plan.commitments.columns].astype("int64"))


def test_a_second_run_finds_everything_unchanged(run: Run) -> None:
    before = (run.folder / "tables" / "review" / "totals.csv").read_bytes()
    again = run_cycle(
        ROOT / "params" / run.desk.company.company / f"{run.desk.cycle}.yaml",
        data=str(run.data),
        out=str(run.folder.parents[1]),
    )
    assert again.exit_code == 0
    assert {entry["status"] for entry in again.manifest["notebooks"]} == {"unchanged"}
    assert (run.folder / "tables" / "review" / "totals.csv").read_bytes() == before


def test_nothing_published_names_a_path_of_this_machine(run: Run) -> None:
    for path in [*run.folder.rglob("*.html"), *run.folder.rglob("*.ipynb"), run.folder / "manifest.json"]:
        text = path.read_text(encoding="utf-8")
        assert str(run.data) not in text, path.name
        assert str(ROOT) not in text, path.name
    assert json.loads((run.folder / "manifest.json").read_text())["company"] == run.desk.company.company
