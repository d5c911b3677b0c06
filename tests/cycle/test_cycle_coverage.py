"""Coverage of a quarter by the company's own win rates, and companies whose deals come from a CRM."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.cycle import inputs
from spms_lib.cycle.coverage import DUE, LAST_YEAR, covered, own_win_rates, win_rate_bins, win_rates_tried
from spms_lib.cycle.pipeline import pipeline_by_category
from spms_lib.params.company import Company

from firms import PEOPLE, opportunities  # isort: skip
from toys import table  # isort: skip

MAY = dt.date(2026, 5, 31)
SEATS = ("anna", "ben", "carl", "dora")
PAST = ("2025Q2", "2025Q3", "2025Q4", "2026Q1")


def many_deals() -> pd.DataFrame:
    """Each past quarter, 30 days before its end, every seat has 10 late deals (8 won) and 10 early ones (1 won).

    Now every seat has 2 late and 6 early ones; all amounts are 1,000. One deal is due next quarter.
    """
    rows = []
    for name in PAST:
        end = pd.Period(name, freq="Q").end_time.normalize()
        for seat in SEATS:
            for stage, won in (("late", 8), ("early", 1)):
                for number in range(10):
                    deal = (f"{name} {seat} {stage} {number}", seat, stage)
                    rows.append((*deal, "open", end, end - pd.Timedelta(days=31)))
                    rows.append((*deal, "won" if number < won else "lost", end, end))
    june = pd.Timestamp(2026, 6, 30)
    for seat in SEATS:
        rows += [
            (f"now {seat} {number}", seat, "late" if number < 2 else "early", "open", june, MAY)
            for number in range(8)
        ]
    rows.append(("next", "anna", "late", "open", pd.Timestamp(2026, 7, 15), MAY))
    frame = pd.DataFrame(rows, columns=["opportunity", "node", "stage", "status", "close_date", "as_of"])
    days = {day: pd.to_datetime(frame[day]).dt.strftime("%Y-%m-%d") for day in ("close_date", "as_of")}
    return frame.assign(amount=1000.0, probability=0.5, created="2025-01-01", **days)


def asked(desk) -> pd.DataFrame:
    nodes = desk.tree.nodes
    return pd.DataFrame({"node": nodes, "plan": 5_000_000, "actual_to_date": 3_000_000}).astype(
        {"plan": "Int64", "actual_to_date": "Int64"}
    )


def test_what_is_asked_of_the_pipeline_is_what_its_own_deals_bring_and_not_three_times(opened) -> None:
    """Two late deals at 80 % and six early ones at 10 % bring 2.2 of 8: 3.6 times what is left, by this mix."""
    desk = opened(opportunities=many_deals())
    table = covered(desk, asked(desk), as_of=MAY).set_index("node")
    anna = table.loc["anna"]
    assert anna["amount"] == 800_000  # the deal of next quarter is not in it
    assert anna["expected"] == pytest.approx(220_000, rel=0.03)
    assert anna["required_ratio"] == pytest.approx(8 / 2.2, rel=0.03)
    assert anna["coverage_ratio"] == pytest.approx(800_000 / 2_000_000)
    assert anna["full_quota_ratio"] == pytest.approx(800_000 / 5_000_000)
    assert (anna["state"], anna["denominator"], anna["counted"]) == ("short", "remaining quota", DUE)
    assert anna["rule"] == "own win rates by stage, age"
    assert anna["expected_low"] < anna["expected"] < anna["expected_high"]
    assert anna["one_rate_required"] == pytest.approx(1 / 0.45)
    top = table.loc["acme"]
    assert top["expected"] == pytest.approx(table.loc[list(SEATS), "expected"].sum(), abs=4)
    assert table.loc["south", "expected"] == pytest.approx(
        table.loc[["carl", "dora"], "expected"].sum(), abs=2
    )
    gina = table.loc["gina"] if "gina" in table.index else None
    assert gina is None or (
        gina["amount"] == 0 and gina["required_ratio"] == pytest.approx(top["required_ratio"])
    )


def test_win_rates_and_their_trial_are_tables_to_show(opened) -> None:
    desk = opened(opportunities=many_deals())
    bins = win_rate_bins(own_win_rates(desk, as_of=MAY)).groupby("stage")[["deals", "won"]].sum()
    assert bins.loc["late"].tolist() == [160, 128]
    assert bins.loc["early"].tolist() == [160, 16]
    tried = win_rates_tried(desk, as_of=MAY).set_index("rule")
    assert tried.loc["own rates", "brier"] < 0.15 < tried.loc["one win rate", "brier"]
    assert tried["periods"].tolist() == [2] * len(tried)  # two quarters to learn from come first


def test_too_few_past_deals_leave_the_win_rate_of_the_last_year(opened) -> None:
    desk = opened(opportunities=opportunities())
    assert own_win_rates(desk, as_of=MAY) is None
    table = covered(desk, asked(desk), as_of=MAY)
    assert set(table["rule"]) == {LAST_YEAR}
    assert table["win_rate"].iloc[0] == pytest.approx(120 / 160)


def test_a_quarter_that_is_over_and_a_stale_snapshot_have_no_own_rates(opened) -> None:
    desk = opened(opportunities=many_deals())
    assert own_win_rates(desk, as_of=dt.date(2026, 6, 30)) is None
    early = many_deals()
    stale = opened(opportunities=early[early["as_of"] < "2026-04-01"])
    assert own_win_rates(stale, as_of=MAY) is None


def test_the_future_is_not_in_the_rates_of_the_day(opened) -> None:
    later = many_deals().query("as_of == '2026-05-31'").assign(as_of="2026-06-30", status="won")
    now = covered(opened(opportunities=many_deals()), asked(opened()), as_of=MAY)
    knowing = covered(opened(opportunities=pd.concat([many_deals(), later])), asked(opened()), as_of=MAY)
    pd.testing.assert_frame_equal(now, knowing)


def test_deals_are_shown_by_category_beside_what_was_submitted(opened) -> None:
    last = [None, None, "commit", "best_case"]
    deals = opportunities().assign(category=["pipeline", "commit", "pipeline", "commit", None, *last])
    desk = opened(opportunities=deals, cycle={"collect_as_of": MAY})
    table = pipeline_by_category(desk).set_index("node")
    assert table.loc["acme", ["closed", "commit", "best_case"]].tolist() == [12_000, 6_000, 99_900]
    assert table.loc["acme", "best_case_cumulative"] == 117_900
    assert table.loc["acme", "name"] == "acme"
    assert pipeline_by_category(opened(opportunities=None)).empty


# -- a company whose deals are dated exports of a CRM ------------------------------------------------


EXPORT = """
Id,Owner.Name,StageName,Amount,Probability,CreatedDate,CloseDate,IsClosed,IsWon
1,Anna,Prospecting,100.00,10,2026-01-05T09:00:00.000+0000,2026-06-20,false,false
2,carl,Closed Won,200.00,100,2026-01-05T09:00:00.000+0000,2026-04-20,true,true
3,Somebody,Prospecting,300.00,10,2026-01-05T09:00:00.000+0000,2026-06-20,false,false
4,Nina,Prospecting,400.00,10,2026-01-05T09:00:00.000+0000,2026-06-20,false,false
5,Bernhard B.,Prospecting,500.00,10,2026-01-05T09:00:00.000+0000,2026-06-20,false,false
"""


@pytest.fixture
def company(tmp_path) -> Company:
    table(PEOPLE).to_csv(tmp_path / "hierarchy.csv", index=False)
    (tmp_path / "transactions.csv").write_text("node,date,value\nanna,2026-01-05,1\n")
    for day in ("2026-04-30", "2026-05-31"):
        (tmp_path / f"deals_{day}.csv").write_text(EXPORT.strip() + "\n")
    deals = {
        "file": "deals_*.csv", "crm": "salesforce", "as_of_from": "file name",
        "words": {"node": {"Bernhard B.": "ben"}}, "stage_categories": {"Prospecting": "pipeline"},
    }  # fmt: skip
    return Company(
        company="acme", title="Acme", currency="EUR", data=str(tmp_path),
        tables={"opportunities": deals, "hierarchy": {"file": "hierarchy.csv"}, "transactions": {"file": "transactions.csv"}},
    )  # fmt: skip


def test_dated_exports_of_a_crm_reach_the_seats_and_nobody_is_lost(company, tmp_path) -> None:
    loaded = inputs.load_inputs(company, tmp_path)["opportunities"]
    assert loaded.rows["node"].tolist() == ["anna", "carl", "ben"] * 2
    assert loaded.rows["category"].astype(object).where(loaded.rows["category"].notna(), None).tolist()[
        :2
    ] == ["pipeline", None]
    assert loaded.rows_in == 10 == len(loaded.rows) + loaded.rejected
    rejected = loaded.findings[loaded.findings["severity"] == "rejected"]
    assert sorted(rejected["value"].tolist()) == ["Somebody", "Somebody", "north", "north"]
    assert set(rejected["rule"]) == {"node is not in the hierarchy", "booked on a node that has children"}


def test_a_new_export_changes_what_a_run_has_read(company, tmp_path) -> None:
    before = inputs.input_fingerprint(company, tmp_path)
    (tmp_path / "deals_2026-06-30.csv").write_text(EXPORT.strip() + "\n")
    after = inputs.input_fingerprint(company, tmp_path)
    assert before["opportunities"] != after["opportunities"]
    assert before["hierarchy"] == after["hierarchy"]


def test_a_crm_is_refused_for_another_table(tmp_path) -> None:
    with pytest.raises(ValueError, match="opportunities only"):
        Company(
            company="acme", title="Acme", currency="EUR", data=str(tmp_path),
            tables={"hierarchy": {"file": "h.csv"}, "transactions": {"file": "t.csv", "crm": "hubspot"}},
        )  # fmt: skip
