"""Two sample companies, built once: the usual one and a small one."""

from pathlib import Path

import pandas as pd
import pytest

from spms_lib.sample import build_sample

SIZES = {"usual": 80, "small": 20}


class SampleCompany:
    """The files of one sample company, read as text, and the numbers in them where they are numbers."""

    def __init__(self, folder: Path, sellers: int) -> None:
        self.folder = folder
        self.sellers = sellers
        self.rows = build_sample(folder / "data", sellers=sellers)

    def read(self, name: str) -> pd.DataFrame:
        place = "truth" if name.startswith("truth") else "data"
        return pd.read_csv(self.folder / place / f"{name}.csv", dtype="str", keep_default_na=False)

    def seats(self) -> pd.DataFrame:
        nodes = self.read("hierarchy")
        return nodes[nodes["level"] == "seller"]

    def teams(self) -> list[str]:
        nodes = self.read("hierarchy")
        return nodes.loc[nodes["level"] == "team", "node"].tolist()

    def seats_at(self, day: str) -> pd.DataFrame:
        seats = self.seats()
        begun = seats["valid_from"] <= day
        return seats[begun & ((seats["valid_to"] == "") | (seats["valid_to"] >= day))]

    def sales(self) -> pd.DataFrame:
        """Transactions that can be used, with cents and month."""
        sold = self.read("transactions")
        sold = sold[sold["transaction"].str.startswith("T")]
        return sold.assign(cents=cents(sold["value"]), month=sold["date"].str[:7])

    def calls(self) -> pd.DataFrame:
        """Submissions that can be used, with cents, quarter, and the day of the quarter counted from 1."""
        sent = self.read("submissions")
        sent = sent[(sent["category"] != "upside") & (sent["value"] != "tbd")]
        quarter = pd.PeriodIndex(sent["period"], freq="M").asfreq("Q")
        day = (pd.to_datetime(sent["submitted_at"].str[:10]) - quarter.start_time).dt.days + 1
        return sent.assign(cents=cents(sent["value"]), quarter=quarter.astype(str), day=day)

    def forecasts(self, *, by_day: int = 29) -> pd.DataFrame:
        """Closed + commit as last heard by a day of the quarter, beside what was sold, by node and period."""
        sent = self.calls().query("day <= @by_day")
        sent = sent[sent["category"].isin(["closed", "commit"])].sort_values("submitted_at", kind="stable")
        last = sent.drop_duplicates(["node", "period", "category"], keep="last")
        forecast = last.groupby(["node", "period"])["cents"].sum()
        sold = self.sales().groupby(["node", "month"])["cents"].sum().rename_axis(["node", "period"])
        expected = (
            self.read("truth_expected").set_index(["node", "period"])["expected_value"].astype(float) * 100
        )
        return (
            pd.DataFrame({"forecast": forecast, "actual": sold, "expected": expected}).dropna().reset_index()
        )


def cents(texts: pd.Series) -> pd.Series:
    assert texts.str.fullmatch(r"-?\d+\.\d\d").all()
    return texts.str.replace(".", "").astype("int64")


@pytest.fixture(scope="session")
def companies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SampleCompany]:
    return {name: SampleCompany(tmp_path_factory.mktemp(name), sellers) for name, sellers in SIZES.items()}


@pytest.fixture
def usual(companies):
    return companies["usual"]


@pytest.fixture(params=list(SIZES))
def sample(request, companies):
    return companies[request.param]
