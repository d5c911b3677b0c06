"""Pay: credits are the quarter's sales, and a target incentive is only what somebody has stated."""

import datetime as dt

import pandas as pd
import pytest
import yaml

from spms_lib.cycle.pay import compensation_plan, plan_terms, quarter_credits
from spms_lib.cycle.targets import QUOTA, read_targets
from spms_lib.errors import ParamsError, PlanError
from spms_lib.incentives.payout import payouts

from firms import PLAN, QUARTER, Firm, everything, sales, set_goals, transactions  # isort: skip

END = dt.date(2026, 6, 30)


def cents(node: str, months: list[str] = QUARTER) -> int:
    return round(sum(sales()[node][month] for month in months) * 100)


def credits_of(desk, default: float = 0.0, until: dt.date = END) -> pd.DataFrame:
    return quarter_credits(desk, until=until, default_target_incentive=default).set_index("node")


def test_each_seat_is_credited_with_what_it_sold_beside_its_quota(planned) -> None:
    rows = credits_of(planned)
    assert rows["actual"].to_dict() == {node: cents(node) for node in ("anna", "ben", "carl", "dora")}
    quota = read_targets(planned, layer=QUOTA).sum(axis=1)
    assert rows["quota"].to_dict() == quota[rows.index].to_dict()


def test_a_target_incentive_is_stated_or_by_default_and_never_for_an_empty_seat(planned) -> None:
    stated = credits_of(planned)["target_incentive"]
    assert stated[["anna", "ben"]].tolist() == [1_200_000, 600_000]
    assert stated[["carl", "dora"]].isna().all()
    default = credits_of(planned, default=5000.0)["target_incentive"]
    assert default["carl"] == 500_000
    assert pd.isna(default["dora"])  # nobody sits there
    assert default["anna"] == 1_200_000


def test_without_a_roster_only_the_default_is_known(opened) -> None:
    desk = opened(roster=None)
    set_goals(desk)
    assert credits_of(desk)["target_incentive"].isna().all()
    assert credits_of(desk, default=1.5)["target_incentive"].dropna().tolist() == [150, 150, 150]


def test_sales_after_the_quarter_are_not_paid_in_it(opened) -> None:
    july = pd.DataFrame([("anna", "2026-07-02", 1000.0, "device")], columns=transactions().columns)
    desk = opened(transactions=pd.concat([transactions(), july]), cycle={"as_of": "2026-07-15"})
    set_goals(desk)
    assert credits_of(desk, until=desk.params.as_of).loc["anna", "actual"] == cents("anna")


def test_a_seat_that_sold_nothing_is_credited_with_nothing_rather_than_missing(opened) -> None:
    sold = transactions()
    desk = opened(transactions=sold[(sold["node"] != "carl") | (sold["date"] < "2026-04")])
    set_goals(desk)
    assert credits_of(desk).loc["carl", "actual"] == 0


def test_pay_follows_attainment_by_the_plan_of_the_toy_company(planned) -> None:
    plan = compensation_plan(planned)
    rows = quarter_credits(planned, until=END, default_target_incentive=0.0)
    paid = payouts(plan, rows).set_index("node")
    anna = rows.set_index("node").loc["anna"]
    assert paid.loc["anna", "payout"] == pytest.approx(1_200_000 / 4 * anna["actual"] / anna["quota"], abs=1)
    assert paid.loc[["carl", "dora"], "payout"].isna().all()
    assert (paid.loc[["carl", "dora"], "reason"] != "").all()
    terms = plan_terms(plan).set_index("clause")["value"]
    assert terms["Source"] == "test plan, clause 1"
    assert terms["Never more than"] == "no cap"


def plan_file(firm: Firm, **changes: object) -> None:
    content = {**PLAN, **changes}
    (firm.root / "params/plans/simple.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def test_no_plan_named_is_no_plan_and_a_misspelt_one_is_refused_with_the_nearest(opened) -> None:
    assert compensation_plan(opened(cycle={"compensation_plan": ""})) is None
    with pytest.raises(ParamsError, match=r"simpel.*Did you mean simple\.yaml"):
        compensation_plan(opened(cycle={"compensation_plan": "simpel"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"currency": "USD"}, "pays in USD, but the company sells in EUR"),
        ({"effective_from": dt.date(2026, 4, 2)}, "holds from 2026-04-02, after 2026Q2 starts"),
    ],
)
def test_a_plan_in_another_currency_or_not_yet_in_force_is_refused(firm, changes: dict, message: str) -> None:
    desk = firm.write(everything()).desk()
    plan_file(firm, **changes)
    with pytest.raises(PlanError, match=message):
        compensation_plan(desk)
