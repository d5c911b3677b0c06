"""Pay of a cycle: who is paid for which seat, with which credits, against which targets, by which plan."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from spms_lib.cycle.pay.paid import Paid, all_credited, pay_everybody, pay_plan, quarter_cost
from spms_lib.cycle.pay.plans import LEAVES, plans_of, proposed_plan, seller_plan
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.errors import PlanError

from firms import QUARTER, roster, sales, set_goals, transactions  # isort: skip
from toys import table  # isort: skip

END = dt.date(2026, 6, 30)
QUARTER_DAYS = 91


def cents(node: str, months: list[str] = QUARTER) -> int:
    return round(sum(sales()[node][month] for month in months) * 100)


def paid_by(desk, default: float = 0.0, until: dt.date = END, level: str = LEAVES) -> Paid:
    plan = plans_of(desk).get(level) or seller_plan(desk)
    return pay_plan(desk, plan, until=until, level=level, default_target_incentive=default)


def rows_of(desk, **options) -> pd.DataFrame:
    return paid_by(desk, **options).table(desk).set_index("payee")


def said(paid: Paid, rule: str) -> list[str]:
    return paid.findings.loc[paid.findings["rule"] == rule, "value"].tolist()


def quotas_of(desk) -> pd.Series:
    return read_targets(desk, layer=QUOTA).sum(axis=1)


def seats(text: str) -> pd.DataFrame:
    """The roster with further rows: node, person, start, end, target incentive."""
    more = table("node person start end target_incentive\n" + text).assign(fte=1)
    return pd.concat([roster(), more], ignore_index=True)


@pytest.fixture
def staffed(opened):
    """Write the company with further rows of its roster and other changes, with targets set."""

    def _staff(text: str = "", **changes):
        desk = opened(**{"roster": seats(text) if text else roster(), **changes})
        set_goals(desk)
        return desk

    return _staff


def test_each_seller_is_credited_with_what_the_seat_sold_beside_its_quota(planned) -> None:
    rows = rows_of(planned)
    assert rows["actual"].to_dict() == {"Anna": cents("anna"), "Ben": cents("ben"), "Carl": cents("carl")}
    assert rows["quota"].tolist() == quotas_of(planned)[["anna", "ben", "carl"]].tolist()
    assert rows["node"].tolist() == ["anna", "ben", "carl"]


def test_pay_follows_attainment_by_the_plan_of_the_toy_company(planned) -> None:
    anna = rows_of(planned).loc["Anna"]
    assert anna["target_incentive"] == 1_200_000 / 4
    assert anna["payout"] == pytest.approx(300_000 * anna["actual"] / anna["quota"], abs=1)


def test_a_target_incentive_is_stated_or_by_default_and_without_it_only_the_attainment_is_known(
    planned,
) -> None:
    paid = paid_by(planned)
    carl = paid.table(planned).set_index("payee").loc["Carl"]
    assert carl["attainment"] == pytest.approx(carl["actual"] / carl["quota"])
    assert carl[["payout", "target_incentive"]].isna().all()
    assert carl["reason"] == "no target incentive: vacant, or nobody has said"
    assert said(paid, "no target incentive") == ["Carl"]
    default = rows_of(planned, default=5000.0)["target_incentive"]
    assert default.tolist() == [300_000, 150_000, 125_000]


def test_a_vacant_seat_credits_nobody_and_its_sales_are_a_finding(planned) -> None:
    paid = paid_by(planned, default=5000.0)
    assert "dora" not in set(paid.payees["node"])
    assert [text.split(",")[0] for text in said(paid, "nobody is there to be credited")] == [
        "dora: 3 of revenue"
    ]


def test_sales_of_a_seat_that_opens_in_the_quarter_are_named_as_nobodys_pay(planned) -> None:
    (text,) = said(paid_by(planned), "credited to somebody whom the plan does not pay")
    assert text.startswith("Gina: 2, first")


def test_without_a_roster_every_seat_with_an_owner_is_paid_by_its_name(staffed) -> None:
    desk = staffed(roster=None)
    assert rows_of(desk)["payout"].isna().all()
    rows = rows_of(desk, default=1000.0)
    assert rows["target_incentive"].to_dict() == {"anna": 25_000, "ben": 25_000, "carl": 25_000}
    assert rows.loc["ben", "payout"] == pytest.approx(25_000 * cents("ben") / quotas_of(desk)["ben"], abs=1)


def test_a_company_that_knows_months_only_pays_the_same(planned, staffed) -> None:
    sold = pd.DataFrame(sales()).T.stack().rename_axis(["node", "period"]).rename("value").reset_index()  # noqa: PD013 melt would lose the index
    desk = staffed(transactions=None, actuals=sold.dropna())
    assert rows_of(desk)["payout"].tolist() == rows_of(planned)["payout"].tolist()


def test_sales_after_the_quarter_are_not_paid_in_it_and_a_day_in_it_can_be_the_last(staffed) -> None:
    july = pd.DataFrame([("anna", "2026-07-02", 1000.0, "device")], columns=transactions().columns)
    desk = staffed(transactions=pd.concat([transactions(), july]), cycle={"as_of": "2026-07-15"})
    assert rows_of(desk, until=dt.date(2026, 7, 15)).loc["Anna", "actual"] == cents("anna")
    assert rows_of(desk, until=dt.date(2026, 5, 9)).loc["Anna", "actual"] == cents("anna", QUARTER[:1])


def test_a_seller_who_sold_nothing_is_paid_nothing_rather_than_missing(staffed) -> None:
    sold = transactions()
    desk = staffed(transactions=sold[(sold["node"] != "ben") | (sold["date"] < "2026-04")])
    ben = rows_of(desk).loc["Ben"]
    assert (ben["actual"], ben["payout"], ben["reason"]) == (0, 0, "")


def test_who_joins_in_the_quarter_has_quota_and_target_incentive_by_days_and_own_sales_only(staffed) -> None:
    desk = staffed("dora Dirk 2026-05-15 - 8000")
    dirk = rows_of(desk).loc["Dirk"]
    days = 47  # 15 May to 30 June
    assert dirk["quota"] == round(quotas_of(desk)["dora"] * days / QUARTER_DAYS)
    assert dirk["target_incentive"] == round(200_000 * days / QUARTER_DAYS)
    assert dirk["actual"] == cents("dora", QUARTER[2:])  # sales are dated on the tenth
    assert said(paid_by(desk), "nobody is there to be credited") != []


def test_a_person_on_two_seats_is_paid_for_each_by_its_own_quota(staffed) -> None:
    desk = staffed("dora Anna 2026-01-01 - 4000")
    rows = rows_of(desk)
    assert rows.loc[["Anna (anna)", "Anna (dora)"], "person"].tolist() == ["Anna", "Anna"]
    assert rows.loc["Anna (dora)", "actual"] == cents("dora")
    assert rows.loc["Anna (dora)", "quota"] == quotas_of(desk)["dora"]
    assert rows.loc["Anna (dora)", "target_incentive"] == 100_000


def test_a_person_who_comes_back_to_a_seat_is_paid_for_both_stays(staffed) -> None:
    desk = staffed("dora Dirk 2026-04-01 2026-04-30 8000\ndora Dirk 2026-06-01 - 8000")
    rows = rows_of(desk)
    assert rows.loc["Dirk (dora)", "actual"] == cents("dora", QUARTER[:1])
    assert rows.loc["Dirk (dora) 2", "actual"] == cents("dora", QUARTER[2:])
    both = rows.loc[["Dirk (dora)", "Dirk (dora) 2"], "quota"].sum()
    assert both == pytest.approx(quotas_of(desk)["dora"] * 60 / QUARTER_DAYS, abs=1)


def named_sale(**more: object) -> pd.DataFrame:
    """The sales, the one of Anna in May with an id of its own."""
    rows = transactions().assign(transaction=None)
    rows.loc[(rows["node"] == "anna") & rows["date"].str.startswith("2026-05"), "transaction"] = "deal"
    return rows.assign(**more)


SHARED = """
    transaction payee credit_type share
    deal        Anna  revenue     0.75
    deal        {who} revenue     0.25
    """


def test_a_shared_sale_credits_each_payee_with_the_share(staffed, planned) -> None:
    before, shared = rows_of(planned), round(sales()["anna"]["2026-05"] * 100)
    desk = staffed(transactions=named_sale(), splits=table(SHARED.format(who="Ben")))
    moved = rows_of(desk)["actual"] - before["actual"]
    assert moved.to_dict() == {"Anna": -shared / 4, "Ben": shared / 4, "Carl": 0}
    assert not desk.findings["table"].eq("splits").any()


def test_a_person_in_a_split_is_the_seat_sat_in_that_day_and_two_seats_at_once_need_a_name(staffed) -> None:
    shared = round(sales()["anna"]["2026-05"] * 100)
    splits = table(SHARED.format(who="Dirk"))
    moved = staffed("dora Dirk 2026-04-01 2026-04-30 8000\ndora Dirk 2026-05-10 - 8000",
                    transactions=named_sale(), splits=splits)  # fmt: skip
    assert rows_of(moved).loc["Dirk (dora) 2", "actual"] == cents("dora", QUARTER[1:]) + shared / 4
    both = staffed(
        "dora Anna 2026-01-01 - 4000", transactions=named_sale(), splits=splits.replace("Dirk", "Ben")
    )
    texts = said(paid_by(both), "credited to somebody whom the plan does not pay")
    assert any(text.startswith("Anna: 1, first deal") for text in texts)


def test_an_order_of_several_lines_is_credited_and_shared_line_by_line(staffed, planned) -> None:
    before, sold = rows_of(planned), named_sale()
    half = sold["transaction"].eq("deal")
    lines = pd.concat([sold.assign(value=sold["value"].where(~half, sold["value"] / 2)),
                       sold[half].assign(value=lambda rows: rows["value"] / 2)])  # fmt: skip
    assert rows_of(staffed(transactions=lines))["actual"].tolist() == before["actual"].tolist()
    desk = staffed(transactions=lines, splits=table(SHARED.format(who="Ben")))
    quarter = round(sales()["anna"]["2026-05"] * 100) / 4
    assert rows_of(desk).loc["Ben", "actual"] == pytest.approx(before.loc["Ben", "actual"] + quarter, abs=1)


def test_leave_shrinks_quota_and_target_incentive_on_every_seat_of_the_person(staffed) -> None:
    away = table("""
        payee start      end
        Anna  2026-05-01 2026-05-31
        """)
    desk = staffed("dora Anna 2026-01-01 - 4000", leave=away)
    rows, worked = rows_of(desk), 60 / QUARTER_DAYS
    for seat in ("anna", "dora"):
        assert rows.loc[f"Anna ({seat})", "quota"] == pytest.approx(quotas_of(desk)[seat] * worked, abs=1)
    assert rows.loc["Anna (dora)", "target_incentive"] == round(100_000 * worked)
    assert rows.loc["Ben", "quota"] == quotas_of(desk)["ben"]


MANAGERS = {"manager_plans": {"region": {"plan": "simple", "target_incentive": 20_000}}}


def test_managers_of_a_level_are_paid_on_what_is_sold_below_them(staffed) -> None:
    desk = staffed(cycle=MANAGERS)
    sellers, managers = pay_everybody(desk, until=END)
    assert (sellers.level, managers.level) == (LEAVES, "region")
    rows = managers.table(desk).set_index("payee")
    below = {"Nina": ["anna", "ben", "gina"], "Sven": ["carl", "dora"]}  # vacant seats are their business too
    sold = {who: sum(cents(node, [m for m in QUARTER if m in sales()[node]]) for node in nodes)
            for who, nodes in below.items()}  # fmt: skip
    assert rows["actual"].to_dict() == sold
    assert rows["quota"].tolist() == quotas_of(desk)[["north", "south"]].tolist()
    nina = rows.loc["Nina"]
    assert nina["payout"] == pytest.approx(500_000 * nina["actual"] / nina["quota"], abs=1)


def test_a_manager_who_sells_is_credited_once_for_the_own_sale(staffed) -> None:
    desk = staffed("dora Sven 2026-01-01 - 4000", cycle=MANAGERS)
    sven = rows_of(desk, level="region").loc["Sven"]
    assert sven["actual"] == cents("carl") + cents("dora")


def test_a_region_pays_the_same_to_its_people_as_the_company_does(firm, staffed) -> None:
    desk = staffed("dora Anna 2026-01-01 - 4000", transactions=named_sale(), splits=table(SHARED.format(who="Carl")),
                   cycle=MANAGERS)  # fmt: skip
    whole, parts = pay_everybody(desk, until=END), []
    for region in ("north", "south"):
        edition = firm.desk(region=region)
        parts.append([paid.table(edition) for paid in pay_everybody(edition, until=END)])
    for number, paid in enumerate(whole):
        together = pd.concat([part[number] for part in parts]).set_index("payee")
        mine = paid.table(desk).set_index("payee")
        pd.testing.assert_frame_equal(together.loc[mine.index], mine)


def test_a_plan_over_the_year_is_held_to_the_year_so_far_and_shows_the_quarter(staffed) -> None:
    desk = staffed(plan={"interval": "year", "against": "to_date"})
    assert list(paid_by(desk).run.books.periods) == [f"2026-{month:02d}" for month in range(1, 7)]
    rows = rows_of(desk)
    assert rows.loc["Anna", "actual"] == cents("anna")
    assert rows.loc["Anna", "target_incentive"] == 300_000


def test_the_cost_is_set_against_all_sales_of_the_scope_vacant_seats_included(planned) -> None:
    paid = paid_by(planned)
    cost = quarter_cost(planned, paid, until=END).set_index("metric")["value"]
    assert cost["total_payout"] == paid.table(planned)["payout"].sum()
    everything_sold = sum(cents(node) for node in ("anna", "ben", "carl", "dora"))
    assert cost["cost_of_sales_ratio"] == pytest.approx(cost["total_payout"] / everything_sold)
    assert (cost["seats"], cost["seats_not_payable"]) == (2, 1)


def test_without_a_plan_sellers_are_shown_pay_in_proportion(staffed, planned) -> None:
    desk = staffed(cycle={"compensation_plan": ""})
    assert plans_of(desk) == {}
    (paid,) = pay_everybody(desk, until=END)
    assert paid.plan.name.startswith("proportional")
    assert paid.table(desk)["payout"].tolist() == rows_of(planned)["payout"].tolist()


def test_a_misspelt_plan_is_refused_with_the_nearest(opened) -> None:
    with pytest.raises(PlanError, match=r"simpel[\s\S]*simple"):
        plans_of(opened(cycle={"compensation_plan": "simpel"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"currency": "USD"}, "pays in USD, but the company sells in EUR"),
        ({"effective_from": dt.date(2026, 4, 2)}, "2026-04-01"),
    ],
)
def test_a_plan_in_another_currency_or_not_yet_in_force_is_refused(
    opened, changes: dict, message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        seller_plan(opened(plan=changes))


def test_the_proposed_plan_is_the_newest_version_of_its_name(firm, opened) -> None:
    assert proposed_plan(opened()) is None
    desk = opened(cycle={"proposed_plan": "bolder"})
    for version, cap in (("1", "1.5"), ("2", "2.5")):
        changes = {"plan": "bolder", "version": version, "cap": {"value": cap, "of": "target_incentive"}}
        start = dt.date(2026 + int(version), 1, 1)
        firm.add_plan(**changes, effective_from=start, file=f"bolder_{version}")
    assert proposed_plan(desk).version == "2"


def test_the_check_of_credits_counts_listed_sales_and_fails_when_a_sale_is_lost(planned) -> None:
    """Dora's seat is vacant: what it sold is listed. A credit that gets lost is not."""
    paid = paid_by(planned, default=5000.0)
    assert int(paid.uncredited["gap"].sum()) == cents("dora")
    assert all_credited(planned, paid, until=END)[0]
    books = paid.run.books
    short = replace(paid.run, books=replace(books, credits=books.credits.iloc[1:]))
    assert not all_credited(planned, replace(paid, run=short), until=END)[0]
