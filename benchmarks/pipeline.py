"""A million opportunities from a CRM's export to roll-ups, as multiples of pandas reading the same file."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.company import company, parent_child
from benchmarks.measure import Row, measure
from spms_lib.calendar import FiscalCalendar
from spms_lib.collect.roll_ups import deals_by_category, roll_up_deals
from spms_lib.hierarchy import Hierarchy
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource
from spms_lib.tables import LoadedTable

SELLERS = 1_000
YEAR = FiscalCalendar()


def rows(sizes: tuple[int, ...] = (1_000_000,)) -> list[Row]:
    return [row for deals in sizes for row in one_size(deals)]


def one_size(deals: int) -> list[Row]:
    tree = Hierarchy.from_parent_child(parent_child(company(SELLERS)))
    export = salesforce_export(deals, tree.leaves.to_numpy())
    case = f"{deals:,} opportunities of {SELLERS:,} sellers, {len(export.columns)} columns"
    found = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        export.to_csv(folder / "deals.csv", index=False)
        export.to_parquet(folder / "deals.parquet", index=False)
        for name, read in (("deals.csv", pd.read_csv), ("deals.parquet", pd.read_parquet)):
            yardstick = measure(lambda read=read, name=name: read(folder / name), 3)
            found.append(Row(case, f"pandas reads {name}", yardstick, 3, note="yardstick"))
            loading = measure(lambda name=name: load(folder, name), 2)
            found.append(
                Row(
                    case,
                    f"load_table of {name}, checked and typed",
                    loading,
                    2,
                    loading / yardstick,
                    "pandas",
                )
            )
        table = load(folder, "deals.csv").rows
    counting = measure(lambda: deals_by_category(table, YEAR), 3)
    found.append(Row(case, "deals_by_category", counting, 3, counting / found[0].seconds, "pandas, CSV"))
    counted = deals_by_category(table, YEAR)
    months = YEAR.months("FY26")
    rolling = measure(lambda: roll_up_deals(tree, counted, tree.nodes, months=months), 3)
    note = f"{len(tree):,} nodes x {len(months)} months"
    found.append(Row(case, "roll_up_deals", rolling, 3, rolling / found[0].seconds, "pandas, CSV", note))
    return found


def load(folder: Path, name: str) -> LoadedTable:
    source = TableSource(file=name, crm="salesforce", constants={"as_of": "2026-06-30"})
    return load_table("opportunities", source, folder, calendar=YEAR, per_unit=100)


def salesforce_export(deals: int, owners: np.ndarray, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    stage = rng.integers(0, 6, deals)  # the last two are won and lost
    created = pd.Timestamp(2025, 1, 1) + pd.to_timedelta(rng.integers(0, 400 * 86_400, deals), unit="s")
    close = np.where(stage < 4, rng.integers(540, 720, deals), rng.integers(400, 540, deals))
    words = ["Pipeline", "Pipeline", "Best Case", "Commit", "Closed", "Omitted"]
    return pd.DataFrame(
        {
            "Id": [f"006{number:015d}" for number in range(deals)],
            "OwnerId": rng.choice(owners, deals),
            "StageName": np.array(["Qualify", "Develop", "Propose", "Close", "Closed Won", "Closed Lost"])[
                stage
            ],
            "ForecastCategoryName": np.array(words)[stage],
            "Amount": rng.lognormal(9, 1, deals).round(2),
            "Probability": np.array([10.0, 30.0, 50.0, 90.0, 100.0, 0.0])[stage],
            "CreatedDate": created.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "CloseDate": (pd.Timestamp(2025, 1, 1) + pd.to_timedelta(close, unit="D")).strftime("%Y-%m-%d"),
            "IsClosed": stage >= 4,
            "IsWon": stage == 4,
            "Type": rng.choice(["New Business", "Existing Business"], deals),
        }
    )
