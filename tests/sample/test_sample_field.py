import numpy as np
import pandas as pd
import pytest

CURRENT = ["2026-07", "2026-08", "2026-09"]


def test_every_submission_comes_from_a_seat_of_that_day_for_a_month_of_that_quarter(sample):
    sent = sample.read("submissions")
    for day, rows in sent.groupby(sent["submitted_at"].str[:10]):
        assert set(rows["node"]) <= set(sample.seats_at(day)["node"])
        quarter = pd.Period(day, freq="Q")
        assert {str(pd.Period(month, freq="Q")) for month in rows["period"]} == {str(quarter)}


def test_nine_quarters_were_asked_and_each_submission_is_complete(sample):
    sent = sample.read("submissions").query("category != 'upside'")
    assert sent["period"].nunique() == 27
    parts = sent.groupby(["node", "submitted_at"])
    assert (parts.size() == 12).all()
    assert (parts[["category", "period"]].nunique() == [4, 3]).all().all()


def test_most_are_in_by_the_fifteenth_some_are_late_and_some_are_sent_again(usual):
    sent = usual.read("submissions").drop_duplicates(["node", "submitted_at"])
    sent = sent.assign(quarter=sent["period"].map(lambda month: str(pd.Period(month, freq="Q"))))
    first = sent.sort_values("submitted_at").drop_duplicates(["node", "quarter"])
    day = first["submitted_at"].str[8:10].astype(int)
    assert day.min() >= 10
    assert 0.03 < (day > 15).mean() < 0.15
    assert 0.03 < 1 - len(first) / len(sent) < 0.15
    assert (sent["submitted_at"].str[5:7].isin(["01", "04", "07", "10"])).all()


def test_six_to_eight_seats_with_people_are_silent_now_and_empty_seats_too(usual):
    sent = set(usual.read("submissions").query("period == '2026-07'")["node"])
    roster = usual.read("roster")
    staffed = set(
        roster[(roster["start"] <= "2026-07-01") & ((roster["end"] == "") | (roster["end"] >= "2026-07-31"))][
            "node"
        ]
    )
    assert sent <= staffed
    assert 6 <= len(staffed - sent) <= 8
    assert len(staffed) <= 78


def test_closed_is_what_was_sold_before_the_day_of_the_submission(sample):
    sent = sample.read("submissions").query("category == 'closed'")
    sold = sample.sales()
    first_month = sent["period"] == sent["submitted_at"].str[:7]
    assert (sent.loc[~first_month, "value"] == "0.00").all()
    for row in sent[first_month].iloc[::29].itertuples():
        mine = sold[
            (sold["node"] == row.node)
            & (sold["month"] == row.period)
            & (sold["date"] < row.submitted_at[:10])
        ]
        assert float(row.value) == pytest.approx(max(mine["cents"].sum() / 100, 0.0))


def test_a_quarter_of_the_seats_holds_back_and_a_quarter_hopes(usual):
    truth = usual.read("truth_sellers")
    assert truth["person_type"].value_counts().to_dict() == {"honest": 40, "sandbagger": 20, "optimist": 20}
    bias = truth["bias_ratio"].astype(float).groupby(truth["person_type"])
    limits = {"sandbagger": (-0.25, -0.08), "optimist": (0.05, 0.25), "honest": (-0.02, 0.02)}
    assert all(values.between(*limits[kind]).all() for kind, values in bias)
    assert truth["noise_sigma"].astype(float).between(0.05, 0.18).all()


def test_bias_can_be_found_in_the_track_record_of_eight_quarters(usual):
    record = usual.forecasts().query("period < '2026-07'")
    sums = record.groupby("node")[["forecast", "actual"]].sum()
    measured = sums["forecast"] / sums["actual"] - 1
    truth = usual.read("truth_sellers").set_index("node")
    assert measured.corr(truth["bias_ratio"].astype(float)) > 0.8
    by_type = measured.groupby(truth["person_type"]).mean()
    assert by_type["sandbagger"] < -0.08
    assert by_type["honest"] == pytest.approx(0.0, abs=0.05)
    assert by_type["optimist"] > 0.06


def test_the_field_knows_something_that_history_does_not(usual):
    record = usual.forecasts()
    record = record[(record["forecast"] > 0) & (record["actual"] > 0) & (record["expected"] > 2_000_00)]
    said = np.log(record["forecast"] / record["expected"])
    happened = np.log(record["actual"] / record["expected"])
    assert 0.3 < said.corr(happened) < 0.9


def test_noisy_seats_scatter_more(usual):
    record = usual.forecasts().query("forecast > 0 and actual > 0 and expected > 200000")
    scatter = np.log(record["forecast"] / record["actual"]).groupby(record["node"]).std()
    sigma = usual.read("truth_sellers").set_index("node")["noise_sigma"].astype(float)
    assert scatter.corr(sigma) > 0.4


def test_words_and_confidence_stand_beside_the_commit_only(sample):
    sent = sample.read("submissions").query("category not in ['commit', 'upside']")
    assert (sent[["confidence", "comment"]] == "").all().all()
    commit = sample.read("submissions").query("category == 'commit'")
    assert 0.3 < (commit["confidence"] != "").mean() < 0.9
    assert 0.05 < (commit["comment"] != "").mean() < 0.25
