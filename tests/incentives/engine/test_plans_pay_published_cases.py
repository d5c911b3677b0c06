"""Cases that plan documents and vendors printed, written as plans and paid by the engine."""

import datetime as dt

import pytest

from compensation_cases import CASES, of_calc  # isort: skip
from pay_cases import YEAR, by_payee, pay, units  # isort: skip


def flow(value: object) -> str:
    """Write a value as YAML in one line."""
    import yaml

    return yaml.safe_dump(value, default_flow_style=True, width=10_000).replace("\n...", "").strip()


def tiered(case: dict, mode: str | None = None, tie: str | None = None, accumulate: str = "interval") -> str:
    """Write a case's table of tiers as a plan."""
    plan = case["plan"]
    mode = mode or plan.get("mode", "incremental")
    lookup = mode in {"lookup", "lump"}
    of_units = "units" in case["features"]
    return f"""
measures: {{sales: {{value: {"units" if of_units else "amount"}}}}}
components:
  - component: pay
    measure: sales
    interval: month
    accumulate: {accumulate}
    unit: {"attainment" if plan.get("ratio") else "measure"}
    pays: {"money" if of_units or lookup or mode == "interpolated" else "rate"}
    tie: {tie or plan.get("tie", "upper")}
    mode: {"lump" if lookup else mode}
    tiers: {flow(plan["tiers"])}
"""


def alone(case: dict, xs: list, **how: str) -> list[float]:
    """Pay each amount to a payee of its own."""
    column = "units" if "units" in case["features"] else "amount"
    credits = [{"payee": f"p{n:02d}", column: x} for n, x in enumerate(xs)]  # noqa: A001
    quota = case["plan"].get("quota", 1)
    targets = [{"payee": f"p{n:02d}", "quota": quota} for n in range(len(xs))]
    return by_payee(pay(tiered(case, **how), credits, targets, periods=YEAR[:1]))


def near(case: dict, expected: object) -> object:
    return pytest.approx(expected, abs=case.get("tol", 0) + 1e-7)


@pytest.mark.parametrize("name", of_calc("tiers"))
def test_a_total_is_paid_through_its_tiers(name: str) -> None:
    case = CASES[name]
    seen = alone(case, case["inputs"]["x"])
    assert seen == near(case, case["expected"]["payouts"])
    for x, paid, blended in zip(case["inputs"]["x"], seen, case["expected"].get("blended", []), strict=False):
        assert paid / x == near(case, blended)


@pytest.mark.parametrize("name", of_calc("tiers_compare"))
def test_one_table_pays_two_ways(name: str) -> None:
    case = CASES[name]
    for mode in ("retroactive", "incremental"):
        assert alone(case, case["inputs"]["x"], mode=mode) == near(case, case["expected"][mode])


@pytest.mark.parametrize("name", of_calc("tie_compare"))
def test_the_tie_is_plan_data(name: str) -> None:
    case = CASES[name]
    for tie in ("upper", "lower"):
        assert alone(case, [case["inputs"]["x"]], mode="lump", tie=tie) == [case["expected"][tie]]


@pytest.mark.parametrize("name", of_calc("txn_tiers"))
def test_transactions_are_paid_alone_or_as_they_add_up(name: str) -> None:
    """Paid month by month: a month's earning is what its credit adds."""
    case = CASES[name]
    amounts = case["inputs"]["amounts"]
    running = case["plan"]["accumulate"] == "running"
    column = "units" if "units" in case["features"] else "amount"
    credits = [{column: x, "date": dt.date(2025, n + 1, 5)} for n, x in enumerate(amounts)]  # noqa: A001
    text = tiered(case, accumulate="interval" if running else "transaction")
    run = pay(
        text.replace("interval: month", "interval: year"),
        credits,
        [{"period": "FY2025", "quota": case["plan"].get("quota", 1)}],
    )
    seen = [units(amount) for amount in run.earned["pay"][0, : len(amounts)]]
    assert seen == near(case, case["expected"]["payouts"])
    assert sum(seen) == near(case, case["expected"]["total"])


@pytest.mark.parametrize("name", of_calc("gated_tiers"))
def test_a_gate_on_the_years_total_holds_the_first_rate(name: str) -> None:
    case = CASES[name]
    gate = case["plan"]["gate"]
    text = (
        tiered(case).replace("interval: month", "interval: quarter")
        + f"""
    gates: [{{measure: sales, over: year, more_than: {gate["min_exclusive"]}, closed: {{rate: {gate["when_closed_rate"]}}}}}]
"""
    )
    amounts = case["inputs"]["period_amounts"]
    run = pay(text, [{"amount": x, "date": dt.date(2025, 3 * n + 3, 9)} for n, x in enumerate(amounts)])
    seen = [units(run.earned["pay"][0, 3 * n : 3 * n + 3].sum()) for n in range(len(amounts))]
    assert seen == near(case, case["expected"]["payouts"])


@pytest.mark.parametrize("name", of_calc("txn_tiers_measure"))
def test_pieces_decide_the_tier_and_money_is_paid_on(name: str) -> None:
    case = CASES[name]
    text = f"""
measures: {{pieces: {{value: units}}, money: {{value: amount}}}}
components:
  - {{component: pay, measure: pieces, base: money, interval: year, unit: measure, pays: rate, tie: upper,
     tiers: {flow(case["plan"]["tiers"])}}}
"""
    pairs = zip(case["inputs"]["dollars"], case["inputs"]["units"], strict=True)
    run = pay(
        text, [{"amount": a, "units": u, "date": dt.date(2025, n + 1, 3)} for n, (a, u) in enumerate(pairs)]
    )
    seen = [units(amount) for amount in run.earned["pay"][0, :2]]
    assert seen == near(case, case["expected"]["payouts"])


@pytest.mark.parametrize("name", of_calc("margin_lookup"))
def test_the_margin_looks_up_the_rate(name: str) -> None:
    """The table is in percent of margin; one plan pays on the sale, another on the profit."""
    case = CASES[name]
    rows = [[0, case["plan"]["tiers"][0][0], 0], *case["plan"]["tiers"]]
    tiers = [[f"{a} %", b and f"{b} %", rate] for a, b, rate in rows]
    for base, expected in (("amount", "structure3_on_sale"), ("margin", "structure4_on_profit")):
        text = f"""
measures: {{margin_rate: {{value: margin, per: amount}}, paid_on: {{value: {base}}}}}
components:
  - {{component: pay, measure: margin_rate, base: paid_on, interval: month, unit: measure, pays: rate, tie: upper,
     mode: retroactive, tiers: {flow(tiers)}}}
"""
        run = pay(text, [{"amount": case["inputs"]["sale"], "margin": case["inputs"]["profit"]}])
        assert by_payee(run) == near(case, [case["expected"][expected]])


@pytest.mark.parametrize("name", of_calc("stepped_repeat"))
def test_every_whole_step_pays(name: str) -> None:
    case = CASES[name]
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, unit: measure, pays: money, tie: upper,
     step: {flow({"every": case["plan"]["every"], "pays": case["plan"]["pay"]})}}}
"""
    credits = [{"payee": f"p{n}", "amount": x} for n, x in enumerate(case["inputs"]["x"])]  # noqa: A001
    assert by_payee(pay(text, credits)) == case["expected"]["payouts"]


@pytest.mark.parametrize("name", of_calc("curve"))
def test_a_payout_curve_through_points(name: str) -> None:
    case = CASES[name]
    plan = case["plan"]
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, unit: attainment, pays: target_incentive, tie: upper,
     weight: 1, cap: {plan["cap"]},
     curve: {{anchors: {plan["anchors"]}, below: {plan["below"]}, above_slope: {plan["above_slope"]}}}}}
"""
    credits = [{"payee": f"p{n}", "amount": 1000 * a} for n, a in enumerate(case["inputs"]["attainment"])]  # noqa: A001
    targets = [
        {"payee": f"p{n}", "quota": 1000, "target_incentive": plan["target"]} for n in range(len(credits))
    ]
    assert by_payee(pay(text, credits, targets)) == near(case, case["expected"]["payouts"])


@pytest.mark.parametrize("name", of_calc("weighted"))
def test_weighted_components_add_up(name: str) -> None:
    case = CASES[name]
    weights, target = case["plan"]["weights"], case["plan"]["target"]
    parts = "\n".join(
        f"  - {{component: part_{n}, measure: {{value: score, credit_types: [goal_{n}]}}, interval: year, weight: {w},"
        " unit: measure, pays: target_incentive, tie: upper, tiers: [[0, null, 1]]}"
        for n, w in enumerate(weights)
    )
    run = pay(
        f"components:\n{parts}\n",
        [{"credit_type": f"goal_{n}", "score": s} for n, s in enumerate(case["inputs"]["payout_levels"])],
        [
            {"component": f"part_{n}", "period": "FY2025", "target_incentive": target * w}
            for n, w in enumerate(weights)
        ],
    )
    assert by_payee(run) == near(case, [case["expected"]["payout"]])
    assert by_payee(run)[0] / target == near(case, case["expected"]["factor"])


@pytest.mark.parametrize("name", of_calc("sec_bonus"))
def test_a_scored_quarterly_bonus(name: str) -> None:
    case = CASES[name]
    text = """
components:
  - {component: pay, measure: {value: score}, interval: quarter, weight: 1, unit: measure, pays: target_incentive,
     tie: upper, tiers: [[0, null, 1]]}
"""
    target = case["inputs"]["base_pay"] * case["plan"]["bonus_pct"] * case["plan"]["quarter_weight"]
    assert target == case["expected"]["quarterly_target"]
    run = pay(
        text,
        [{"score": case["inputs"]["payout_pcts"][0]}],
        [{"period": "2025Q1", "target_incentive": target}],
    )
    assert by_payee(run) == near(case, case["expected"]["payouts"])


@pytest.mark.parametrize("name", of_calc("sum_components"))
def test_objectives_paid_all_or_nothing_add_up(name: str) -> None:
    case = CASES[name]
    bonuses = case["inputs"]["components"]
    parts = "\n".join(
        f"  - {{component: goal_{n}, measure: {{value: score, credit_types: [goal_{n}]}}, interval: year,"
        f" unit: measure, pays: money, tie: upper, step: {{every: 1, pays: {bonus}}}}}"
        for n, bonus in enumerate(bonuses)
    )
    met = [{"credit_type": f"goal_{n}", "score": 1, "payee": "met"} for n in range(len(bonuses))]
    nearly = [{"credit_type": f"goal_{n}", "score": 0.99, "payee": "nearly"} for n in range(len(bonuses))]
    assert by_payee(pay(f"components:\n{parts}\n", met + nearly)) == [case["expected"]["total"], 0]


@pytest.mark.parametrize("name", of_calc("quarter_or_ytd"))
def test_a_gate_of_quarter_or_year_to_date(name: str) -> None:
    case = CASES[name]
    text = f"""
components:
  - component: pay
    measure: {{value: amount}}
    interval: quarter
    unit: measure
    pays: money
    tie: upper
    tiers: [[0, null, {case["plan"]["bonus"]}, lump]]
    gates: [{{any: [{{component: pay, at_least: 1}}, {{component: pay, over: year, at_least: 1}}]}}]
"""
    run = pay(
        text,
        [{"amount": x, "date": dt.date(2025, 3 * n + 3, 9)} for n, x in enumerate(case["inputs"]["actual"])],
        [{"period": f"2025Q{n + 1}", "quota": q} for n, q in enumerate(case["plan"]["quota"])],
    )
    seen = [units(run.earned["pay"][0, 3 * n : 3 * n + 3].sum()) for n in range(4)]
    assert seen == case["expected"]["payouts"]


@pytest.mark.parametrize("name", of_calc("per_deal_cap"))
def test_one_deal_pays_no_more_than_its_cap(name: str) -> None:
    case = CASES[name]
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, accumulate: transaction, unit: measure, pays: rate,
     tie: upper, tiers: [[0, null, {case["plan"]["rate"]}]], deal_cap: {case["plan"]["cap"]}}}
"""
    deals = case["inputs"]["deals"]
    run = pay(text, [{"amount": x, "date": dt.date(2025, n + 1, 1)} for n, x in enumerate(deals)])
    assert [units(x) for x in run.earned["pay"][0, : len(deals)]] == case["expected"]["payouts"]


@pytest.mark.parametrize("name", of_calc("quarter_cap_true_up"))
def test_capped_quarters_and_the_years_true_up(name: str) -> None:
    case = CASES[name]
    plan = case["plan"]
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: quarter, weight: 1, unit: attainment, pays: target_incentive,
     tie: upper, tiers: [[0, null, 1]], cap: {plan["quarter_cap"]}, true_up: year}}
"""
    run = pay(
        text,
        [{"amount": x, "date": dt.date(2025, 3 * n + 3, 9)} for n, x in enumerate(case["inputs"]["actual"])],
        [
            {"period": f"2025Q{n + 1}", "quota": q, "target_incentive": plan["quarter_ti"]}
            for n, q in enumerate(plan["quarter_quota"])
        ],
    )
    _, stands = run.stand("ann")
    true_up = units(stands["pay"].true_up.sum())
    quarters = [
        units((run.earned["pay"] - stands["pay"].true_up)[0, 3 * n : 3 * n + 3].sum()) for n in range(4)
    ]
    assert quarters == case["expected"]["quarter_paid"]
    assert true_up == case["expected"]["true_up"]
    assert by_payee(run) == [case["expected"]["annual_earned"]]


@pytest.mark.parametrize("name", of_calc("hurdle_products"))
def test_a_hurdle_on_every_product(name: str) -> None:
    case = CASES[name]
    rates, hurdle = case["plan"]["rates"], case["plan"]["hurdle"]
    gates = flow([{"component": f"P{p}", "at_least": hurdle, "closed": "first_rate"} for p in rates])
    parts = "\n".join(
        f"  - {{component: P{p}, measure: {{value: amount, credit_types: [{p}]}}, interval: month, unit: attainment,"
        f" pays: rate, tie: upper, tiers: [[0, 1, {low}], [1, null, {high}]], gates: {gates}}}"
        for p, (low, high) in rates.items()
    )
    run = pay(
        f"components:\n{parts}\n",
        [{"credit_type": p, "amount": x} for p, x in case["inputs"]["actual"].items()],
        [{"component": f"P{p}", "quota": q} for p, q in case["inputs"]["quota"].items()],
    )
    assert {p: units(run.earned[f"P{p}"][0, 0]) for p in rates} == near(case, case["expected"]["payouts"])
    assert by_payee(run) == near(case, [case["expected"]["total"]])
    _, stands = run.stand("ann")
    assert all(gate[0, 0] for gate in stands["PA"].open) == case["expected"]["hurdle_met"]


@pytest.mark.parametrize("name", of_calc("multiplier"))
def test_the_margin_multiplies_the_commission(name: str) -> None:
    case = CASES[name]
    rows = sorted(case["plan"]["modifier"])
    text = f"""
measures: {{sales: {{value: amount}}, margin_rate: {{value: margin, per: amount}}}}
components:
  - {{component: pay, measure: sales, interval: month, unit: measure, pays: rate, tie: upper,
     tiers: {flow(case["plan"]["tiers"])}, multipliers: [{{measure: margin_rate, tie: upper, rows: {rows}}}]}}
"""
    volume = case["inputs"]["volume"]
    credits = [  # noqa: A001
        {"payee": f"p{n}", "amount": volume, "margin": volume * m}
        for n, m in enumerate(case["inputs"]["margins"])
    ]
    run = pay(text, credits)
    assert by_payee(run) == near(case, case["expected"]["payouts"])
    _, stands = run.stand("p0")
    assert units(stands["pay"].curve_pay[0, 0]) == case["expected"]["base"]


@pytest.mark.parametrize("name", of_calc("kicker_deal"))
def test_a_kicker_for_large_deals(name: str) -> None:
    case = CASES[name]
    plan = case["plan"]
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, unit: measure, pays: rate, tie: upper,
     tiers: [[0, null, {plan["rate"]}]],
     kickers: [{{where: [{{column: amount, more_than: {plan["above"]}}}], factor: {plan["factor"]}}}]}}
"""
    credits = [{"payee": f"p{n}", "amount": x} for n, x in enumerate(case["inputs"]["deals"])]  # noqa: A001
    assert by_payee(pay(text, credits)) == near(case, case["expected"]["payouts"])


@pytest.mark.parametrize("name", of_calc("spif_window"))
def test_a_spif_pays_in_its_window(name: str) -> None:
    case = CASES[name]
    first, last = case["plan"]["window"]
    text = f"""
components:
  - {{component: pay, measure: {{value: count}}, interval: year, unit: measure, pays: money, tie: upper,
     tiers: [[0, null, {case["plan"]["per_deal"]}]], pays_from: {first}, pays_to: {last}}}
"""
    days = [dt.date.fromisoformat(day) for day in case["inputs"]["dates"]]
    run = pay(text, [{"payee": f"p{n}", "date": day} for n, day in enumerate(days)])
    assert by_payee(run) == case["expected"]["payouts"]


@pytest.mark.parametrize("name", of_calc("first_n"))
def test_the_first_deals_pay_more(name: str) -> None:
    case = CASES[name]
    plan = case["plan"]
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: year, unit: measure, pays: rate, tie: upper,
     tiers: [[0, null, {plan["rate"]}]], kickers: [{{where: [], factor: {plan["factor"]}, first: {plan["n"]}}}]}}
"""
    run = pay(
        text,
        [{"amount": x, "date": dt.date(2025, n + 1, 1)} for n, x in enumerate(case["inputs"]["deals"])],
    )
    assert [units(x) for x in run.earned["pay"][0, :4]] == near(case, case["expected"]["payouts"])


@pytest.mark.parametrize("name", of_calc("manager_two_ways"))
def test_a_manager_is_paid_on_the_team_or_on_each_rep(name: str) -> None:
    case = CASES[name]
    quotas, actuals = case["inputs"]["quota"], case["inputs"]["actual"]
    text = tiered({"plan": {**case["plan"], "ratio": True}, "features": []})
    team = pay(text, [{"amount": x} for x in actuals], [{"quota": q} for q in quotas])
    assert by_payee(team) == [case["expected"]["collective"]]
    reps = [{"payee": f"on rep {n}", "amount": x} for n, x in enumerate(actuals)]
    each = pay(text, reps, [{"payee": f"on rep {n}", "quota": q} for n, q in enumerate(quotas)])
    assert sum(by_payee(each)) == case["expected"]["individual_sum"]


@pytest.mark.parametrize("name", of_calc("kata_individual"))
def test_a_share_of_what_is_above_the_target(name: str) -> None:
    case = CASES[name]
    for (sold, target, share, tax), expected in zip(
        case["inputs"]["rows"], case["expected"]["results"], strict=True
    ):
        text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, unit: measure, pays: rate, tie: upper,
     tiers: [[0, {target}, 0], [{target}, null, "{round(share * 100)}/100"]],
     multipliers: [{{measure: pay, tie: upper, rows: [[0, "{100 - round(tax * 100)} %"]]}}]}}
"""
        assert by_payee(pay(text, [{"amount": sold}])) == near(case, [expected])


@pytest.mark.parametrize("name", of_calc("scale_round"))
def test_halves_go_to_the_even_neighbour_where_the_plan_says_so(name: str) -> None:
    case = CASES[name]
    thresholds, rates = case["plan"]["thresholds"], case["plan"]["rates"]
    tiers = list(map(list, zip(thresholds, [*thresholds[1:], None], rates, strict=True)))
    for how, expected in case["expected"].items():
        rounding = "" if how == "none" else f"rounding: {{to: {10.0 ** -int(how[1:])}, half: half_even}}\n"
        text = f"""{rounding}
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, unit: measure, pays: rate, tie: upper,
     tiers: {flow(tiers)}}}
"""
        credits = [{"payee": f"p{n}", "amount": x} for n, x in enumerate(case["inputs"]["x"])]  # noqa: A001
        assert by_payee(pay(text, credits)) == pytest.approx(expected, abs=case["tol"]), how


@pytest.mark.parametrize("name", of_calc("scale_brackets"))
def test_the_bracket_on_a_boundary_follows_the_tie_and_nothing_else(name: str) -> None:
    case = CASES[name]
    starts = case["plan"]["thresholds"]
    tiers = [
        [start, end, number]
        for number, (start, end) in enumerate(zip(starts, [*starts[1:], None], strict=True))
    ]
    shaped = {"plan": {"tiers": tiers}, "features": []}
    for tie, key in (("lower", "unrounded"), ("upper", "rounded0")):
        assert alone(shaped, case["inputs"]["x"], mode="lump", tie=tie) == case["expected"][key]


@pytest.mark.parametrize("name", of_calc("average_to_marginal"))
def test_average_rates_become_marginal_ones(name: str) -> None:
    case = CASES[name]
    points = list(map(list, zip(case["plan"]["thresholds"], case["plan"]["average_rates"], strict=True)))
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, unit: measure, pays: rate, tie: upper, average: {points}}}
"""
    credits = [{"payee": f"p{n}", "amount": x} for n, x in enumerate(case["inputs"]["x"])]  # noqa: A001
    run = pay(text, credits)
    assert by_payee(run) == near(case, case["expected"]["payouts"])
    curve = run.plan.components["pay"].curve
    assert curve is not None
    assert [float(tier.value) for tier in curve.tiers] == near(case, case["expected"]["marginal_rates"])


@pytest.mark.parametrize("name", of_calc("int_division"))
def test_a_third_is_a_third(name: str) -> None:
    case = CASES[name]
    text = f"""
components:
  - {{component: pay, measure: {{value: amount}}, interval: month, unit: measure, pays: rate, tie: upper,
     tiers: [[0, null, "1/{case["inputs"]["b"]}"]]}}
"""
    assert by_payee(pay(text, [{"amount": case["inputs"]["a"]}])) == near(case, [case["expected"]["decimal"]])
