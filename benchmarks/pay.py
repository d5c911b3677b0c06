"""Ten million transactions of a hundred thousand payees paid by five components, exactly, and peers of it.

The year is run cold, then two territory reorganisations take effect back to its start: each is a run of
its own, whose differences are posted as adjustments. Amounts are whole cents throughout.
"""

import resource
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.measure import Row, measure
from spms_lib.calendar import FiscalCalendar
from spms_lib.incentives.engine.run import Run, differing, pay_run
from spms_lib.incentives.payments.adjust import adjustments
from spms_lib.incentives.payments.draws import draw_grid
from spms_lib.incentives.payments.months import pay_periods
from spms_lib.incentives.payments.settle import settle
from spms_lib.incentives.payments.terms import Draw, PaymentTerms
from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.statements.statement import explain

PERIODS = [f"2026-{month:02d}" for month in range(1, 13)]
PRODUCTS = ["licence", "service", "renewal", "hardware"]


def rows(sizes: tuple[tuple[int, int], ...] = ((10_000_000, 100_000),)) -> list[Row]:
    return [row for size in sizes for row in one_size(*size)]


def one_size(transactions: int, payees: int) -> list[Row]:
    case = f"{transactions:,} transactions, {payees:,} payees, 5 components, 12 months"
    credited, targets = company(transactions, payees)
    plan, found = the_plan(), []

    def add(
        what: str, call: Callable[[], object], repeat: int, against: Row | None = None, note: str = ""
    ) -> Row:
        seconds = measure(call, repeat)
        ratio = None if against is None else seconds / against.seconds
        found.append(Row(case, what, seconds, repeat, ratio, against.what if against else "", note))
        return found[-1]

    floor = add("sum amounts by payee and month (bincount)", lambda: floor_of(credited), 3, note="floor")
    kept: dict[str, object] = {}

    def whole_year() -> None:
        kept["run"], kept["ledger"] = year(plan, credited, targets)

    add(
        "year with true-up, two reorganisations back to January, draws",
        whole_year,
        1,
        floor,
        f"peak {peak_gigabytes():.1f} GB",
    )
    found[-1] = replace(found[-1], note=f"peak of the process {peak_gigabytes():.1f} GB, data included")
    paid = kept["run"]
    assert isinstance(paid, Run)
    add("one run of the year", lambda: run(plan, credited, targets), 1, floor)
    late = credited.iloc[[5]].assign(credit=transactions + 1, amount=123_45)
    add("one late transaction", lambda: paid.with_late(late), 5, floor)
    payee = str(late["payee"].iloc[0])
    add("one line explained", lambda: explain(paid, payee, component="licence", period="2026-06"), 5, floor)
    add("hash of the run", paid.run_hash, 1, floor)
    share = 200
    few = credited[credited["payee"].cat.codes < payees // share]
    of_few = targets[targets["payee"].cat.codes < payees // share]
    naive = measure(lambda: by_groupby(few, of_few), 1) * share
    found.append(
        Row(
            case,
            "pandas groupby-apply, one component in floats",
            naive,
            1,
            naive / floor.seconds,
            floor.what,
            f"{share} x {payees // share:,} payees",
        )
    )
    alone = measure(lambda: pay_run(only(plan, "licence"), credited, targets, periods=PERIODS), 1)
    found.append(
        Row(case, "pay_run of that component, exact", alone, 1, alone / naive, "pandas groupby-apply")
    )
    return found


def year(plan: CompensationPlan, credited: pd.DataFrame, targets: pd.DataFrame) -> tuple[Run, pd.DataFrame]:
    """Pay the year; move one payee in fifty to another, twice, back to January; post what differs; pay draws."""
    paid = run(plan, credited, targets)
    posted = []
    for seed in (1, 2):
        moved = reorganised(credited, seed)
        again = run(plan, moved, targets)
        posted.append(adjustments(*differing(paid, again), open_period=PERIODS[-1]))
        paid, credited = again, moved
    terms = PaymentTerms(currency="EUR", draw=Draw("recoverable", 5_000))
    months = pay_periods(PERIODS, terms.paid, FiscalCalendar())
    settle(paid.total(), terms, draw_grid(terms.draw, paid.books.payees, months))
    return paid, pd.concat(posted)


def reorganised(credited: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give the credited of one payee in fifty to another."""
    names = credited["payee"].cat.categories
    rng = np.random.default_rng(seed)
    to = np.arange(len(names))
    leaving = rng.choice(len(names), len(names) // 50, replace=False)
    to[leaving] = rng.permutation(leaving)
    codes = to[credited["payee"].cat.codes.to_numpy()]
    return credited.assign(payee=pd.Categorical.from_codes(codes, categories=names))


def by_groupby(credited: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Pay one component as an analyst would: a function of one payee's rows, in floats."""
    own = (
        targets[targets["component"] == "licence"]
        .groupby("payee", observed=True)[["quota", "target_incentive"]]
        .sum()
    )
    sold = credited[credited["product"] == "licence"].assign(month=lambda rows: rows["date"].dt.month)

    def one(rows: pd.DataFrame) -> pd.Series:
        quota, incentive = own.loc[rows.name]
        attained = rows.groupby("month")["amount"].sum().reindex(range(1, 13), fill_value=0).cumsum() / quota
        due = attained.map(
            lambda at: (
                0.0
                if at < 0.3
                else sum(
                    max(min(at, up) - low, 0) * rate
                    for low, up, rate in ((0, 0.9, 0.8), (0.9, 1, 2.8), (1, 1.2, 1.5), (1.2, 9e9, 2))
                )
            )
        )
        return (due.clip(upper=3) * incentive).diff().fillna(due * incentive).round()

    return sold.groupby("payee", observed=True)[["month", "amount"]].apply(one)


def only(plan: CompensationPlan, name: str) -> CompensationPlan:
    return replace(plan, components={name: plan.components[name]})


def run(plan: CompensationPlan, credited: pd.DataFrame, targets: pd.DataFrame) -> Run:
    return pay_run(plan, credited, targets, periods=PERIODS)


def floor_of(credited: pd.DataFrame) -> np.ndarray:
    month = (credited["date"].to_numpy().astype("datetime64[M]").astype(int)) % 12
    return np.bincount(
        credited["payee"].cat.codes.to_numpy().astype(np.int64) * 12 + month, weights=credited["amount"]
    )


def company(transactions: int, payees: int, seed: int = 11) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Credits with one reversal in a hundred, and targets of every payee, component and month."""
    rng = np.random.default_rng(seed)
    names = [f"p{number:06d}" for number in range(payees)]
    amount = rng.lognormal(10, 1.2, transactions).astype(np.int64)
    back = rng.random(transactions) < 0.01
    credited = pd.DataFrame(
        {
            "credit": np.arange(transactions),
            "payee": pd.Categorical.from_codes(rng.integers(0, payees, transactions), categories=names),
            "date": np.datetime64("2026-01-01") + rng.integers(0, 365, transactions).astype("timedelta64[D]"),
            "product": pd.Categorical.from_codes(
                rng.integers(0, len(PRODUCTS), transactions).astype(np.int8), categories=PRODUCTS
            ),
            "amount": np.where(back, -amount, amount),
            "margin": (np.where(back, -amount, amount) * 0.3).astype(np.int64),
            "units": np.where(back, -1, 1),
        }
    )
    per_month = transactions / payees / 12 * float(np.exp(10 + 1.2**2 / 2))
    components = list(the_plan().components)
    size = payees * len(components) * 12
    targets = pd.DataFrame(
        {
            "payee": pd.Categorical.from_codes(
                np.repeat(np.arange(payees), len(components) * 12), categories=names
            ),
            "component": pd.Categorical.from_codes(
                np.tile(np.repeat(np.arange(len(components)), 12), payees), categories=components
            ),
            "period": pd.Categorical.from_codes(
                np.tile(np.arange(12), payees * len(components)), categories=PERIODS
            ),
            "quota": (per_month * rng.uniform(0.2, 0.35, size)).astype(np.int64),
            "target_incentive": rng.integers(30_000, 60_000, size),
        }
    )
    return credited, targets


def the_plan() -> CompensationPlan:
    def part(name: str, measure: str, interval: str, **more: object) -> dict[str, object]:
        return {"component": name, "measure": measure, "interval": interval, "tie": "upper", **more}

    on_quota = {"unit": "attainment", "pays": "target_incentive"}
    sold = {
        product: {"value": "amount", "where": [{"column": "product", "in": [product]}]}
        for product in PRODUCTS
    }
    return plan_from_dict(
        {
            "plan": "benchmark",
            "currency": "EUR",
            "effective_from": "2026-01-01",
            "measures": {**sold, "pieces": {"value": "units"}, "margin_rate": {"value": "margin", "per": "amount"}},
            "components": [
                part("licence", "licence", "year", **on_quota, weight="40 %", cap=3,
                     tiers=[[0, "0.9", "0.8"], ["0.9", 1, "2.8"], [1, "1.2", "1.5"], ["1.2", None, 2]], threshold="0.3"),
                part("service", "service", "year", **on_quota, weight="20 %", mode="retroactive",
                     tiers=[[0, 1, "0.8"], [1, None, "1.1"]],
                     multipliers=[{"measure": "margin_rate", "tie": "upper", "rows": [[-999, "0.5"], ["0.2", 1], ["0.31", "1.1"]]}]),
                part("renewal", "renewal", "quarter", **on_quota, weight="20 %", cap=1, true_up="year", tiers=[[0, None, 1]]),
                part("hardware", "hardware", "year", **on_quota, weight="20 %",
                     tiers=[[0, 1, 1], [1, None, 2]], gates=[{"component": "licence", "at_least": "0.8", "closed": "first_rate"}]),
                part("pieces", "pieces", "year", unit="measure", pays="money", tiers=[[0, 50, 1], [50, 100, 2], [100, None, 3]]),
            ],
        }
    )  # fmt: skip


def peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
