"""Worked cases of draws, caps, holdbacks and clawbacks that vendors printed, through the payment block of a plan."""

from fractions import Fraction

import pandas as pd
import pytest

from spms_lib.errors import MoneyError
from spms_lib.incentives.payments.settle import share_of
from spms_lib.incentives.payments.terms import PaymentTerms

from compensation_cases import CASES, of_calc  # isort: skip
from payments_desk import YEARS, earned, euros, of_kind, paid, problems_of, terms_of  # isort: skip

TYPES = {"recoverable_minimum": "recoverable", "nonrecoverable_minimum": "non_recoverable"}


@pytest.mark.parametrize("name", of_calc("draw"))
def test_a_draw_tops_pay_up_to_its_minimum(name: str) -> None:
    plan, expected = CASES[name]["plan"], CASES[name]["expected"]
    recovery = "".join(f", {key}: {plan[key]}" for key in ("recovery_from", "recovery_pct") if key in plan)
    terms = terms_of(f"draw: {{type: {TYPES[plan['type']]}, minimum: {plan['minimum']}{recovery}}}")
    amounts = CASES[name]["inputs"]["earnings"]
    ledger = paid(earned(*amounts), terms, len(amounts))
    assert euros(ledger, "paid") == expected["paid"]
    assert euros(ledger, "owed") == expected["owed"]


def drawn(amounts: list[float]) -> pd.DataFrame:
    """One draw a month, each of its own amount."""
    rows = [("ann", month, month, round(amount * 100)) for month, amount in zip(YEARS, amounts, strict=False)]
    return pd.DataFrame(rows, columns=["payee", "from", "to", "minimum"])


@pytest.mark.parametrize("name", of_calc("draw_advance"))
def test_an_advance_is_paid_on_top_and_deducted_later(name: str) -> None:
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    terms = terms_of("draw: {type: advance, minimum: 0}")
    draws = drawn(inputs["advances"]).assign(type="advance")
    ledger = paid(earned(*inputs["earnings"]), terms, len(inputs["earnings"]), draws=draws)
    assert euros(ledger, "paid") == expected["paid"]
    assert euros(ledger, "owed") == expected["owed"]


@pytest.mark.parametrize("name", of_calc("draw_upfront"))
def test_an_upfront_draw_is_paid_first_and_settled_at_the_end(name: str) -> None:
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    for number, (draw, amount) in enumerate(zip(inputs["draw"], inputs["earned"], strict=True)):
        # the source looks at each period by itself
        ledger = paid(earned(amount), terms_of(f"draw: {{type: upfront, minimum: {draw}}}"), 1)
        cheques = {link: amount / 100 for _, amount, link in of_kind(ledger, "payment")}
        assert cheques.get("end of period", 0) == expected["period_end_cheque"][number]
        assert cheques["start of period"] == draw
        assert euros(ledger, "owed") == [expected["shortfall_owed"][number]]


@pytest.mark.parametrize("name", of_calc("payment_cap"))
@pytest.mark.parametrize("excess", ["carry", "lost"])
def test_a_payment_cap_keeps_the_excess_or_loses_it(name: str, excess: str) -> None:
    plan, amounts, expected = (CASES[name][part] for part in ("plan", "inputs", "expected"))
    terms = terms_of(f"cap: {{per_period: {plan['maximum']}, excess: {excess}}}")
    ledger = paid(earned(*amounts["earnings"]), terms, len(amounts["earnings"]))
    if excess == "carry":
        assert euros(ledger, "paid") == expected["paid"]
        assert euros(ledger, "carried") == expected["carried"]
    else:
        lost = [max(amount - plan["maximum"], 0) for amount in amounts["earnings"]]
        assert euros(ledger, "paid") == [min(amount, plan["maximum"]) for amount in amounts["earnings"]]
        assert [-amount / 100 for _, amount, _ in of_kind(ledger, "cap_lost")] == [one for one in lost if one]


def one_deal(amount: float, cancelled: bool, **columns: int) -> pd.DataFrame:
    """A deal of January that is cancelled in February, or not."""
    day = pd.to_datetime(["2026-02-10" if cancelled else None])
    row = {
        "payee": ["ann"],
        "deal": ["D1"],
        "period": ["2026-01"],
        "amount": [round(amount * 100)],
        **columns,
    }
    return pd.DataFrame(row | {"cancelled_on": day})


@pytest.mark.parametrize("name", of_calc("clawback", "clawback_prorated"))
def test_a_clawback_takes_its_share_of_what_was_paid(name: str) -> None:
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    if CASES[name]["calc"] == "clawback":
        terms = terms_of(f"clawback: {{type: fixed, share: {inputs['pct']}}}")
    else:
        terms = terms_of("clawback: {type: prorated}")
    months = {key: inputs[key] for key in ("contract_months", "served_months") if key in inputs}
    other = inputs["paid"]  # enough in February for the clawback to be deducted
    ledger = paid(
        earned(inputs["paid"], other), terms, 2, deals=one_deal(inputs["paid"], cancelled=True, **months)
    )
    assert of_kind(ledger, "clawback") == [("2026-02", expected["adjustment"] * 100, "deal D1")]
    assert euros(ledger, "paid") == [inputs["paid"], other + expected["adjustment"]]
    assert sum(euros(ledger, "paid")) - other == expected.get("net", inputs["paid"] + expected["adjustment"])


@pytest.mark.parametrize("name", of_calc("holdback"))
def test_what_is_held_back_is_paid_unless_the_deal_is_cancelled(name: str) -> None:
    plan, inputs, expected = (CASES[name][part] for part in ("plan", "inputs", "expected"))
    terms = terms_of(f"holdback: {{upfront: {plan['upfront']}, after: 2}}")
    for cancelled, deferred in zip(inputs["cancelled"], expected["deferred"], strict=True):
        ledger = paid(earned(inputs["commission"]), terms, 3, deals=one_deal(inputs["commission"], cancelled))
        assert euros(ledger, "paid") == [expected["upfront"], 0, deferred]
        assert euros(ledger, "held") == [inputs["commission"] - expected["upfront"]] * (
            1 if cancelled else 2
        ) + [0] * (2 if cancelled else 1)


@pytest.mark.parametrize("name", of_calc("flat_percent"))
def test_a_percentage_is_paid_in_full_until_a_cap_says_otherwise_in_the_same_currency(name: str) -> None:
    plan, inputs, expected = (CASES[name][part] for part in ("plan", "inputs", "expected"))
    amount = earned(inputs["payout"])["earned"].to_numpy()
    share = share_of(amount, Fraction(str(plan["pct"])))
    assert share.tolist() == [expected["percent"] * 100]
    table = earned(expected["percent"]).assign(currency="USD")
    assert table["earned"].tolist() == share.tolist()
    assert euros(paid(table, PaymentTerms(), 1), "paid") == [expected["percent"]]
    with pytest.raises(MoneyError, match="'ann' earned USD under terms in EUR"):
        paid(table, terms_of("cap: {per_period: 1000000, excess: lost}"), 1)
    (problem,) = problems_of("cap: {per_period: 1000000, excess: lost}")
    assert (problem.place, problem.what) == (
        ("payment", "currency"),
        "A payment cap or a draw has no currency.",
    )
