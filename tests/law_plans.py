"""Random components, credits and quotas, with anything in them that changes pay."""

from typing import Any

import pandas as pd
from hypothesis import strategies as st

from spms_lib.incentives.engine.run import Run, pay_run
from spms_lib.incentives.plan.read import plan_from_dict, read_plan

MONTHS = [f"2026-{month:02d}" for month in range(1, 13)]
MODES = ("incremental", "retroactive", "interpolated", "lump")


def share(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda number: f"{number} %")


@st.composite
def tiers(draw: st.DrawFn, modes: tuple[str, ...] = MODES) -> list[dict[str, Any]]:
    starts = [0, *sorted(draw(st.sets(st.integers(1, 200), max_size=3)))]
    return [
        {
            "from": f"{start} %",
            "to": None if end is None else f"{end} %",
            "value": draw(share(0, 200)),
            "mode": draw(
                st.sampled_from([mode for mode in modes if end is not None or mode != "interpolated"])
            ),
        }
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]


def parts() -> st.SearchStrategy[dict[str, Any]]:
    """Draw a component with any of the things that change pay, as far as a plan may say them together."""
    return any_parts().filter(lambda part: not read_plan(document(part))[1])


@st.composite
def any_parts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a component, whether a plan may say it or not."""
    extra = st.booleans()
    part: dict[str, Any] = {
        "component": "pay",
        "clause": "4.1",
        "measure": "sales",
        "interval": draw(st.sampled_from(["month", "quarter"])),
        "against": draw(st.sampled_from(["whole", "to_date"])),
        "unit": "attainment",
        "pays": draw(st.sampled_from(["target_incentive", "rate"])),
        "tie": draw(st.sampled_from(["upper", "lower"])),
        "tiers": draw(tiers()),
    }
    part |= {"threshold": draw(share(1, 120))} if draw(extra) else {}
    part |= {"cap": {"value": draw(share(200, 900)), "of": "target_incentive"}} if draw(extra) else {}
    part |= {"true_up": "year"} if draw(extra) else {}
    gate = {"measure": "units", "over": "interval", "at_least": draw(st.integers(1, 6)), "clause": "4.5"}
    closed = draw(
        st.sampled_from(
            ["nothing", {"tiers": draw(tiers()), "unit": "attainment", "pays": part["pays"], "tie": "upper"}]
        )
    )
    part |= {"gates": [gate | {"closed": closed}]} if draw(extra) else {}
    factors = [[0, draw(share(0, 150))], [3, draw(st.sampled_from([2, "125 %", 0]))]]
    part |= {"multipliers": [{"measure": "units", "tie": "upper", "rows": factors}]} if draw(extra) else {}
    if draw(st.integers(0, 2)) == 0:
        part |= (
            {"kickers": [{"where": [{"column": "term", "at_least": 24}], "factor": "5/4"}]}
            if draw(extra)
            else {}
        )
        part |= {"deal_cap": draw(st.integers(1, 400))} if draw(extra) else {}
        part |= {"accumulate": "transaction"} if draw(extra) else {}
    return part


sold = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]),
        st.integers(0, 364),
        st.integers(-50_000, 400_000),
        st.sampled_from([12, 36]),
    ),
    min_size=1,
    max_size=12,
)


def document(part: dict[str, Any]) -> dict[str, Any]:
    """Write a plan of one component."""
    return {
        "plan": "law",
        "version": "1",
        "currency": "EUR",
        "effective_from": "2026-01-01",
        "measures": {"sales": {"value": "amount"}, "units": {"value": "units"}},
        "components": [{"weight": 1} | part if part["pays"] == "target_incentive" else part],
    }


def run_of(part: dict[str, Any], rows: list[tuple[str, int, int, int]]) -> Run:
    plan = plan_from_dict(document(part))
    frame = pd.DataFrame(rows, columns=["payee", "day", "amount", "term"])
    frame = frame.assign(
        credit=[f"c{n:02d}" for n in range(len(frame))],
        units=1,
        date=pd.Timestamp(2026, 1, 1) + pd.to_timedelta(frame["day"], unit="D"),
    )
    targets = pd.DataFrame(
        [
            ("pay", payee, month, 90_000 + 5_000 * n, 40_000)
            for payee in ("ann", "bob")
            for n, month in enumerate(MONTHS)
        ],
        columns=["component", "payee", "period", "quota", "target_incentive"],
    )
    return pay_run(plan, frame, targets, periods=MONTHS)
