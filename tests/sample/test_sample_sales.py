import numpy as np
import pandas as pd
import pytest

from spms_lib.sample.company import make_company
from spms_lib.sample.orders import make_deals, make_orders
from spms_lib.sample.people import make_people
from spms_lib.sample.sales import SEASON, make_sales
from spms_lib.sample.timeline import HISTORY, PRESENT


def amounts(texts: pd.Series) -> pd.Series:
    return texts.str.replace(".", "").astype("int64")


def test_transactions_sum_to_the_sales_of_every_seat_month_and_product_to_the_cent():
    chance = [np.random.default_rng(number) for number in range(5)]
    company = make_company(chance[0], 20)
    staff = make_people(chance[1], company)
    sales = make_sales(chance[2], company, staff)
    deals = make_deals(chance[3], company, staff, sales)
    orders = make_orders(chance[4], sales, deals)
    booked = np.zeros_like(sales.realised)
    np.add.at(booked, (orders.product, orders.seat, orders.month), orders.cents)
    np.testing.assert_array_equal(booked[:, :, :HISTORY], sales.realised[:, :, :HISTORY])
    assert booked[:, :, HISTORY:].sum() == 0
    assert orders.date.max() <= PRESENT


def test_every_deal_won_is_one_transaction_of_that_seat_day_and_amount(sample):
    deals = sample.read("opportunities").query("status == 'won'")
    sold = sample.sales()
    left = deals[["node", "close_date", "account", "product", "amount"]].sort_values(
        ["node", "close_date", "amount"]
    )
    right = sold[["node", "date", "account", "product", "value"]].set_axis(left.columns, axis=1)
    matched = left.merge(right.drop_duplicates(), how="left", indicator=True)
    assert (matched["_merge"] == "both").all()


def test_deals_won_and_run_rate_make_up_the_month_at_sixty_to_seventy_per_cent(usual):
    deals = usual.read("opportunities").query("status == 'won'")
    deals = deals.drop_duplicates("opportunity")  # the weeks of the current quarter show it again
    won = amounts(deals["amount"]).groupby(deals["as_of"].str[:7]).sum()
    sold = usual.sales().groupby("month")["cents"].sum()
    share = (won / sold).dropna()
    assert len(share) == 28
    assert share.between(0.58, 0.70).all()


def test_amounts_have_cents_and_some_are_returns(usual):
    sold = usual.sales()["cents"]
    assert (sold % 100 != 0).mean() > 0.9
    assert 0.002 < (sold < 0).mean() < 0.03


def test_august_is_weak_and_december_strong_in_every_full_year(usual):
    by_month = usual.sales().groupby("month")["cents"].sum()
    for year in ("2024", "2025"):
        of_year = by_month[by_month.index.str.startswith(year)]
        assert of_year.idxmin() == f"{year}-08"
        assert of_year.idxmax() == f"{year}-12"
    assert sum(SEASON) == pytest.approx(12)


def test_quarter_ends_sell_more_than_the_months_before(usual):
    by_month = usual.sales().groupby("month")["cents"].sum()
    ends = by_month.index.str[5:].isin(["03", "06", "09", "12"])
    assert (by_month[ends].to_numpy() > by_month.shift()[ends].fillna(0).to_numpy()).all()


def test_the_company_grows_and_services_grow_faster(usual):
    sold = usual.sales()
    windows = {"first": ("2023-07", "2024-06"), "last": ("2025-07", "2026-06")}
    totals = {
        name: sold[sold["month"].between(*window)].groupby("product")["cents"].sum()
        for name, window in windows.items()
    }
    growth = (totals["last"] / totals["first"]) ** 0.5 - 1
    assert growth["services"] > growth["devices"] + 0.03
    assert 0.02 < (totals["last"].sum() / totals["first"].sum()) ** 0.5 - 1 < 0.13


def test_one_market_breaks_in_the_second_half_of_2025(usual):
    truth = usual.read("truth_expected")
    truth["ratio"] = truth["market_ratio"].astype(float)
    hit = truth[truth["node"].str.startswith("south_europe") & truth["period"].between("2025-07", "2025-12")]
    rest = truth.drop(hit.index)
    assert hit["ratio"].mean() < 0.88
    assert rest["ratio"].mean() == pytest.approx(1.0, abs=0.03)


def test_sales_scatter_around_what_was_to_be_expected(usual):
    truth = usual.read("truth_expected").set_index(["node", "period"]).astype(float)
    sold = usual.sales().groupby(["node", "month"])["cents"].sum().rename_axis(["node", "period"]) / 100
    luck = np.log(sold / (truth["expected_value"] * truth["market_ratio"])).dropna()
    assert luck.std() == pytest.approx(0.175, abs=0.015)
    assert np.exp(luck).mean() == pytest.approx(1.0, abs=0.02)


def test_market_potential_tells_much_about_expected_sales_but_not_all(usual):
    drivers = usual.read("drivers").pivot_table(
        index="node", columns="driver", values="value", aggfunc="first"
    )
    assert list(drivers.columns) == ["accounts", "capacity", "market_potential"]
    truth = usual.read("truth_expected")
    expected = truth.assign(value=truth["expected_value"].astype(float)).groupby("node")["value"].mean()
    assert 0.6 < drivers["market_potential"].astype(float).corr(expected) < 0.97
    empty = usual.seats_at("2026-07-31").query("owner == ''")["node"]
    assert (drivers.loc[empty, "capacity"].astype(float) == 0).any()


def test_children_are_assigned_three_per_cent_more_than_their_parent(sample):
    targets = sample.read("targets")
    targets["value"] = targets["value"].astype(float)
    assert (targets["period"].min(), targets["period"].max()) == ("2024-07", "2026-06")
    nodes = sample.read("hierarchy")
    for month in ("2024-07", "2025-03", "2026-06"):
        now = nodes[
            (nodes["valid_from"] <= f"{month}-01") & ~nodes["valid_to"].between("2000", f"{month}-01")
        ]
        value = targets[targets["period"] == month].set_index("node")["value"]
        parent = now.set_index("node")["parent"].reindex(value.index)
        assert parent.notna().all()
        children = value.groupby(parent).sum().drop("")
        pd.testing.assert_series_equal(children, 1.03 * value[children.index], rtol=0.012, check_names=False)


def test_the_company_target_is_last_year_and_ten_to_twelve_per_cent(sample):
    targets = sample.read("targets").query("node == 'nordlicht'").set_index("period")["value"].astype(float)
    sold = sample.sales().groupby("month")["cents"].sum() / 100
    before = [sold[f"{int(month[:4]) - 1}{month[4:]}"] for month in targets.index]
    ambition = targets / before - 1
    assert ambition.between(0.0995, 0.1205).all()


class TestSnapshots:
    def test_there_is_one_for_every_month_end_and_for_the_fridays_of_the_current_quarter(self, sample):
        days = sample.read("opportunities")["as_of"].unique().tolist()
        ends = pd.date_range("2024-06-30", "2026-09-30", freq="ME")
        fridays = pd.date_range("2026-07-01", "2026-09-30", freq="W-FRI")
        assert days == [str(day.date()) for day in ends.union(fridays)]

    def test_a_deal_keeps_its_customer_product_segment_and_first_day(self, sample):
        deals = sample.read("opportunities")
        kept = deals[["opportunity", "account", "product", "segment", "created"]].drop_duplicates()
        assert kept["opportunity"].is_unique
        assert deals["opportunity"].value_counts().max() >= 4

    def test_few_deals_change_their_owner_once_within_the_team(self, usual):
        deals = usual.read("opportunities")
        owners = deals[["opportunity", "node"]].drop_duplicates()
        count = owners.groupby("opportunity").size()
        assert count.max() == 2
        assert 0.01 < (count == 2).mean() < 0.06
        moved = owners[owners["opportunity"].isin(count[count == 2].index)]
        team = moved["node"].str.rsplit("_", n=1).str[0]  # seats that changed team hand nothing over
        assert (team.groupby(moved["opportunity"]).nunique() < 2).all()
        first = deals.drop_duplicates(["opportunity", "node"])["as_of"]
        changes = deals["node"].ne(deals.groupby("opportunity")["node"].shift())
        assert changes.sum() == len(first)  # it does not go back

    def test_a_deal_ends_once_in_the_month_of_its_last_snapshot_and_few_vanish_without_an_end(self, sample):
        deals = sample.read("opportunities")
        ended = deals[deals["status"] != "open"]
        outcome = ended[["opportunity", "status", "close_date", "amount", "node"]].drop_duplicates()
        assert outcome["opportunity"].is_unique
        assert (ended["close_date"].str[:7] == ended["as_of"].str[:7]).all()
        assert (ended["close_date"] <= ended["as_of"]).all()
        last = deals.groupby("opportunity")["as_of"].max()
        assert (last.reindex(ended["opportunity"]).str[:7] == ended["as_of"].str[:7].to_numpy()).all()
        still_open = deals[deals["status"] == "open"].groupby("opportunity")["as_of"].max()
        unfinished = still_open[~still_open.index.isin(ended["opportunity"])]
        vanished = unfinished[unfinished < "2026-09-30"]
        assert 0 < len(vanished) < 0.02 * deals["opportunity"].nunique()

    def test_a_stage_is_as_old_as_the_snapshots_say(self, sample):
        deals = sample.read("opportunities")
        since = deals["stage_since"]
        assert ((since >= deals["created"]) & (since <= deals["as_of"])).all()
        stay = deals.groupby(["opportunity", "stage"])["stage_since"]
        assert (stay.nunique() < 2).all()
        before = deals.groupby("opportunity")[["stage", "as_of"]].shift()
        rose = before["stage"].notna() & (before["stage"] != deals["stage"])
        assert rose.sum() > 100
        assert (since[rose] > before["as_of"][rose]).all()

    def test_new_business_is_lost_more_often(self, usual):
        ended = usual.read("opportunities").query("status != 'open'").drop_duplicates("opportunity")
        won = (ended["status"] == "won").groupby(ended["segment"]).mean()
        assert won["new"] < 0.5
        assert won["existing"] > 0.68

    def test_who_forecasts_low_enters_more_of_the_quarters_last_wins_late(self, usual):
        won = usual.read("opportunities").query("status == 'won'").drop_duplicates("opportunity")
        won = won[won["close_date"].str[5:7].isin(["03", "06", "09", "12"])]
        age = (pd.to_datetime(won["close_date"]) - pd.to_datetime(won["created"])).dt.days
        low = won["node"].map(usual.read("truth_sellers").set_index("node")["person_type"]) == "sandbagger"
        assert (age[low] <= 18).mean() > (age[~low] <= 18).mean() + 0.2

    def test_open_deals_rise_through_the_stages_and_their_days_slip(self, sample):
        deals = sample.read("opportunities").query("status == 'open'")
        rank = deals["stage"].map({"qualify": 0, "develop": 1, "propose": 2, "close": 3})
        assert (rank.groupby(deals["opportunity"]).diff().dropna() >= 0).all()
        odds = deals.groupby("stage")["probability"].agg(["first", "nunique"])
        assert odds["first"].to_dict() == {
            "qualify": "0.10",
            "develop": "0.30",
            "propose": "0.50",
            "close": "0.90",
        }
        assert odds["nunique"].tolist() == [1, 1, 1, 1]
        promised = pd.to_datetime(deals["close_date"]).groupby(deals["opportunity"]).diff().dropna()
        assert 0.15 < (promised > pd.Timedelta(0)).mean() < 0.7

    def test_deals_win_more_often_the_further_they_are(self, usual):
        deals = usual.read("opportunities")
        won = set(deals.loc[deals["status"] == "won", "opportunity"])
        ended = set(deals.loc[deals["status"] != "open", "opportunity"])
        seen = deals[(deals["status"] == "open") & deals["opportunity"].isin(ended)]
        rate = seen["opportunity"].isin(won).groupby(seen["stage"]).mean()
        assert rate["qualify"] < rate["develop"] < rate["propose"] < rate["close"]
