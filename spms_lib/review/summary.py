"""The review in sentences: only numbers that its tables hold, and no adjective without one."""

from collections.abc import Callable

import pandas as pd

from spms_lib.review._frames import percent
from spms_lib.review.accuracy import BIAS_RATIO, LEFT_OUT, USED, WAPE
from spms_lib.review.facts import (
    COST_OF_SALES_RATIO,
    TOTAL_PAYOUT,
    TOTAL_TARGET_INCENTIVE,
    ReviewFacts,
)
from spms_lib.review.variance import KIND, RESIDUAL
from spms_lib.tables import NAME, VARIANCE

Money = Callable[[float | None], str]
_NAMED_CHILDREN = 2
_NAMED_DECISIONS = 3


def executive_summary(facts: ReviewFacts, *, money: Money) -> list[str]:
    """Write the review down for somebody who reads nothing else.

    Parameters
    ----------
    facts
        What the review knows.
    money
        Writes an amount of minor units, such as `functools.partial(format_money, currency="EUR")`.

    Returns
    -------
    list[str]
        Sentences, in the order: result, last year, where it came from, landing, forecast, shape of
        attainment, coverage, payout, submissions, decisions, data; and at the end what could not be
        said for lack of data. While the period runs they say "to date".
    """
    parts: dict[str, str | None] = {
        "the result": _result(facts, money),
        "last year": _last_year(facts, money),
        "where it came from": _children(facts, money),
        "forecast accuracy": _accuracy(facts),
        "attainment by node": _shape(facts),
        "coverage": _coverage(facts),
        "payout": _payout(facts, money),
        "submissions": _submissions(facts),
        "decisions": _decisions(facts),
        "data quality": _data(facts),
    }
    said = [text for text in parts.values() if text]
    landing = _landing(facts, money)
    if landing:
        before = sum(bool(parts[name]) for name in ("the result", "last year", "where it came from"))
        said.insert(before, landing)
    unsaid = [name for name, text in parts.items() if not text]
    return [*said, f"No data for: {', '.join(unsaid)}."] if unsaid else said


def _result(facts: ReviewFacts, money: Money) -> str | None:
    if facts.actual is None:
        return None
    when = facts.period if facts.complete else f"{facts.period} to date (to {facts.as_of.isoformat()})"
    sold = f"{facts.scope}, {when}: {money(facts.actual)}"
    against = "plan" if facts.complete else "plan to date"
    if facts.plan is None:
        return f"{sold}; no {against} is known."
    share = f", attainment {percent(facts.actual / facts.plan)}" if facts.plan else ""
    return f"{sold} against a {against} of {money(facts.plan)}: {_apart(facts.actual - facts.plan, money, 'plan')}{share}."


def _last_year(facts: ReviewFacts, money: Money) -> str | None:
    if facts.actual is None or facts.last_year is None:
        return None
    more = facts.actual - facts.last_year
    growth = f" ({'+' if more > 0 else ''}{percent(more / facts.last_year)})" if facts.last_year > 0 else ""
    return (
        f"The same {'period' if facts.complete else 'days'} last year brought {money(facts.last_year)}: "
        f"now {_apart(more, money, 'last year')}{growth}."
    )


def _children(facts: ReviewFacts, money: Money) -> str | None:
    if facts.children is None:
        return None
    rows = facts.children[facts.children[VARIANCE].notna()]
    rows = rows.assign(**{VARIANCE: rows[VARIANCE].astype("int64")})
    part = rows[rows[KIND] != RESIDUAL].sort_values([VARIANCE, NAME], ascending=[False, True])
    ups = part[part[VARIANCE] > 0].head(_NAMED_CHILDREN)
    downs = part[part[VARIANCE] < 0].sort_values([VARIANCE, NAME]).head(_NAMED_CHILDREN)
    said = [
        f"{word} plan: {', '.join(f'{name} ({_signed(value, money)})' for name, value in _pairs(some))}"
        for word, some in (("most above", ups), ("most below", downs))
        if len(some)
    ]
    rest = int(rows[VARIANCE][rows[KIND] == RESIDUAL].sum())
    if rest:
        said.append(f"not explained by these nodes: {_signed(rest, money)}")
    if not said:
        return "No node differs from its plan." if len(part) else None
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _landing(facts: ReviewFacts, money: Money) -> str | None:
    if facts.complete or facts.landing is None:
        return None
    text = f"At the pace to date {facts.period} lands at {money(facts.landing)}"
    if facts.plan_of_period is None:
        return f"{text}."
    apart = _apart(facts.landing - facts.plan_of_period, money, "plan")
    return f"{text} against a plan of {money(facts.plan_of_period)}: {apart} (projection)."


def _accuracy(facts: ReviewFacts) -> str | None:
    wape, bias = facts.accuracy_of(WAPE), facts.accuracy_of(BIAS_RATIO)
    cells = facts.accuracy_of(USED)
    if wape is None or bias is None or cells is None:
        return None
    left_out = facts.accuracy_of(LEFT_OUT) or 0
    side = f"{percent(abs(bias))} too {'high' if bias > 0 else 'low'}" if round(bias, 3) else "without bias"
    return (
        f"The {facts.forecast} forecast was off by {percent(wape)} of actuals (WAPE, "
        f"{_count(cells, 'node-period')}, {left_out:.0f} left out) and in sum {side}."
    )


def _shape(facts: ReviewFacts) -> str | None:
    share, nodes = facts.shape_of("share_at_or_above_quota"), facts.shape_of("nodes")
    if share is None or not nodes:
        return None
    text = (
        f"{round(share * nodes)} of {_count(nodes, facts.member)} ({percent(share)}) reached 100 % of quota"
    )
    median, near = facts.shape_of("median"), facts.shape_of("share_within_20")
    if median is not None and near is not None:
        text += f"; median attainment {percent(median)}, {percent(near)} of them between 80 and 120 %"
    unknown = facts.shape_of("unknown")
    return f"{text}; {unknown:.0f} without attainment." if unknown else f"{text}."


def _coverage(facts: ReviewFacts) -> str | None:
    has, needs = facts.coverage()
    if has is None:
        return None
    text = f"Open pipeline is {has:.1f} times the remaining quota"
    return (
        f"{text}; the win rate requires {needs:.1f}."
        if needs is not None
        else f"{text}; no win rate is known."
    )


def _payout(facts: ReviewFacts, money: Money) -> str | None:
    payout, incentive = facts.pay(TOTAL_PAYOUT), facts.pay(TOTAL_TARGET_INCENTIVE)
    if payout is None:
        return None
    text = f"Incentive pay {'comes' if facts.complete else 'to date comes'} to {money(payout)}"
    if incentive:
        text += f", {percent(payout / incentive)} of target incentive"
    cost = facts.pay(COST_OF_SALES_RATIO)
    return f"{text}, {percent(cost)} of sales." if cost is not None else f"{text}."


def _submissions(facts: ReviewFacts) -> str | None:
    got, asked = facts.submissions_received, facts.submissions_expected
    if got is None or not asked:
        return None
    return f"{got} of {_count(asked, 'expected submission')} came in ({percent(got / asked)})."


def _decisions(facts: ReviewFacts) -> str | None:
    is_open, overdue = facts.decisions_open(), facts.decisions_overdue()
    if facts.outcomes is None or is_open is None:
        return None
    text = f"{_count(is_open, 'decision')} {'is' if is_open == 1 else 'are'} open, {overdue} overdue"
    if not overdue:
        return f"{text}."
    late = facts.outcomes[facts.outcomes["overdue"]].sort_values(["due", "decision"])
    named = [str(name) for name in late["decision"].head(_NAMED_DECISIONS)]
    rest = len(late) - len(named)
    return f"{text}: {', '.join(named)}{f' and {rest} more' if rest else ''}."


def _data(facts: ReviewFacts) -> str | None:
    if facts.rows_in is None or facts.rows_rejected is None:
        return None
    share = f" ({percent(facts.rows_rejected / facts.rows_in, 2)})" if facts.rows_in else ""
    return f"{facts.rows_rejected:,} of {_count(facts.rows_in, 'data row')} could not be used{share}."


def _apart(difference: float, money: Money, what: str) -> str:
    if not difference:
        return f"exactly {what}"
    return f"{money(abs(difference))} {'above' if difference > 0 else 'below'} {what}"


def _signed(value: int, money: Money) -> str:
    return f"{'+' if value > 0 else '-'}{money(abs(value))}"


def _pairs(rows: pd.DataFrame) -> list[tuple[str, int]]:
    return [(str(name), int(value)) for name, value in zip(rows[NAME], rows[VARIANCE], strict=True)]


def _count(number: float, what: str) -> str:
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"
