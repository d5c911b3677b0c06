"""The statement page: what a seller reads adds up, hides nothing and runs nothing."""

import datetime as dt
import re
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from spms_lib.errors import PeriodError
from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.statements.ahead import next_step
from spms_lib.incentives.statements.statement import Statement, explain
from spms_lib.report.statement import statement_page

MONTHS = ["2026-01", "2026-02", "2026-03"]


def a_run(*rows: tuple[str, str, int], quota: object = 100_000_00) -> Run:
    plan = plan_from_dict(
        {
            "plan": "account_executive",
            "currency": "EUR",
            "effective_from": "2026-01-01",
            "measures": {"sales": {"value": "amount"}, "deals": {"value": "count"}},
            "components": [
                {
                    "component": "new_business", "clause": "4.1", "description": "Commission on <new> sales", "weight": 1,
                    "measure": "sales", "interval": "quarter", "unit": "attainment", "pays": "target_incentive", "tie": "upper",
                    "tiers": [{"from": 0, "to": 1, "value": 1}, {"from": 1, "value": 2}],
                    "gates": [{"measure": "deals", "at_least": 2, "closed": {"tiers": [{"from": 0, "value": "0.5"}]}, "clause": "4.3"}],
                    "multipliers": [{"measure": "deals", "tie": "upper", "rows": [[0, 1], [3, 2]], "clause": "4.4"}],
                    "cap": {"value": 3, "of": "target_incentive", "clause": "4.6"},
                }
            ],
        }
    )  # fmt: skip
    credits = pd.DataFrame(rows, columns=["credit", "date", "amount"]).assign(payee="ann")  # noqa: A001
    credits["date"] = pd.to_datetime(credits["date"])
    targets = pd.DataFrame(
        {
            "payee": ["ann"],
            "component": "new_business",
            "period": "2026Q1",
            "quota": pd.array([quota], "Int64"),
            "target_incentive": [10_000_00],
        }
    )
    return pay_run(plan, credits, targets, periods=MONTHS)


SALES = (("A-1", "2026-01-10", 50_000_00), ("A-2", "2026-02-10", 60_000_00), ("A-3", "2026-03-10", 20_000_00))


class Words(HTMLParser):
    """Collect the words of a page as somebody hears them read, and the tags that it uses."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.quiet = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.quiet = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.quiet = self.quiet and tag != "style"

    def handle_data(self, data: str) -> None:
        if not self.quiet:
            self.words.append(data)


def read(told: Statement, **more: Any) -> str:
    given: dict[str, Any] = {
        "as_of": dt.date(2026, 3, 31),
        "run_hash": "0123456789abcdef",
        "contact": "pay@example.com",
    }
    words = Words()
    words.feed(statement_page(told, **given | more))
    assert "script" not in words.tags
    return re.sub(r"\s+", " ", " ".join(words.words))


def test_it_says_first_what_is_paid_when_and_why() -> None:
    text = read(explain(a_run(*SALES), "ann"), pays_on=dt.date(2026, 4, 15), name="Ann Fischer")
    assert "Ann Fischer" in text
    assert "You are paid €18,000.00 for March 2026 on 15 April 2026." in text
    assert (
        "All of it was earned by New business, where you stand at 130% of your quota of €100,000.00 for 2026Q1."
        in text
    )


def test_every_step_from_credits_to_pay_is_told_with_its_clause() -> None:
    """130 % pays 10,000 + 2 x 3,000 = 16,000; three deals double it to 32,000; the cap leaves 30,000."""
    text = read(explain(a_run(*SALES), "ann"))
    for line in (
        "Credits 1 credit in March 2026: €20,000.00, 2026Q1 to date €130,000.00",
        "Attainment €130,000.00 of a quota of €100,000.00 130%",
        "Tiers what the plan pays for that, 2026Q1 to date €16,000.00",
        "Gate 1 (4.3) ✓ deals: 3, at least 2 needed no change",
        "Multiplier (4.4) deals: 3, so × 2 +€16,000.00",
        "Cap (4.6) at most €30,000.00 in 2026Q1 −€2,000.00",
        "Due for 2026Q1 to date €30,000.00",
        "Earned before earlier in 2026Q1 −€12,000.00",
        "Earned in March 2026 €18,000.00",
        "0% to 100% 100% 1 × target €10,000.00",
        "from 100% 30% 2 × target €6,000.00",
        "A-3 2026-03-10 €20,000.00 €4,000.00 €110,000.00 €130,000.00",
        "Credits €4,000.00; multipliers +€16,000.00; cap −€2,000.00; earned €18,000.00.",
    ):
        assert line in text


def test_a_closed_gate_is_marked_and_its_price_is_told() -> None:
    text = read(explain(a_run(*SALES), "ann", period="2026-01"))
    assert "Gate 1 (4.3) ✗ deals: 1, at least 2 needed −€2,500.00" in text
    assert "Earned in January 2026 €2,500.00" in text


def test_movements_lead_from_what_is_earned_to_what_is_paid() -> None:
    rows = [
        ("2026-03", "earning", 18_000_00),
        ("2026-03", "recovery", -500_00),
        ("2026-03", "payment", 17_500_00),
        ("2026-02", "draw", 1),
    ]
    ledger = pd.DataFrame(rows, columns=["period", "kind", "amount"]).assign(payee="ann", link="run 7")
    text = read(explain(a_run(*SALES), "ann", ledger=ledger))
    assert "You are paid €17,500.00 for March 2026: earned €18,000.00, recovery −€500.00." in text
    assert "Recovery run 7 −€500.00" in text
    assert "draw" not in text.lower()


def test_the_next_sale_and_what_changed_stand_on_it_where_they_are_known() -> None:
    first = a_run(*SALES[:2])
    late = pd.DataFrame(
        {"credit": ["A-2-R"], "payee": "ann", "date": [pd.Timestamp(2026, 2, 20)], "amount": [-20_000_00]}
    )
    told = explain(first.with_late(late), "ann", period="2026-02")
    before = explain(first, "ann", period="2026-02")
    text = read(told, ahead=next_step(first.with_late(late), period="2026-02"), before=before)
    assert (
        "each further €100 pays €20.00 now; the next tier starts at 100%, which takes €10,000.00 more" in text
    )
    assert "New business 2026-02 €9,500.00 €15,500.00 +€6,000.00" in text
    assert "New business 2026-02 A-2-R – −€20,000.00" in text
    assert "Nothing up to February 2026 changed" in read(before, before=before)


def test_a_quota_that_is_missing_is_a_warning_and_no_zero() -> None:
    text = read(explain(a_run(*SALES, quota=pd.NA), "ann"))
    assert "New business cannot be known yet: no quota." in text
    assert "Not known yet no quota –" in text


def test_foreign_text_runs_nothing_and_hides_nothing() -> None:
    nasty = "<script>x()</script>\u202e"
    run = a_run((nasty, "2026-03-10", 100))
    page = statement_page(
        explain(run, "ann"), as_of=dt.date(2026, 3, 31), run_hash="x", contact=nasty, name=nasty
    )
    assert "<script" not in page
    assert "\u202e" not in page
    assert "Commission on &lt;new&gt; sales" in page
    assert "default-src 'none'" in page


def test_a_month_it_does_not_have_is_refused() -> None:
    told = explain(a_run(*SALES), "ann", period="2026-02")
    with pytest.raises(PeriodError, match="no 2026-03"):
        read(told, period="2026-03")
