"""Made-up forms for sellers and managers, and what a script fills into them."""

import datetime as dt

import numpy as np
import pandas as pd

from spms_lib.collect.form import ASKED, HISTORY, MANAGER, OVERRIDE, SELLER, SUBMISSION, TARGETS, Form

MONTHS = ("2026-07", "2026-08", "2026-09")
CATEGORIES = ("closed", "commit", "best_case", "pipeline")
NAMES = (
    "Anna Berg",
    '=HYPERLINK("http://x")',
    "Ömer Çelik",
    "+49 Team",
    "@ops",
    "-Nord",
    "李 伟",
    "O'Neil & Söhne <b>",
)
STARTS = ("", "=", "@", "-", "+")


def make_form(
    number: int,
    *,
    company: str = "toy",
    issue: int = 1,
    targets: bool = False,
    currency: str = "EUR",
    **changes: object,
) -> Form:
    """A form of a seller, or of a manager where the number ends in 0."""
    rng = np.random.default_rng(number)
    manager = number % 10 == 0
    person = f"{NAMES[number % len(NAMES)]} {number}"
    nodes = [
        (f"seat-{number}-{each}", f"{STARTS[(number + each) % len(STARTS)]}Territory {number}.{each}")
        for each in range(3 if manager else 1)
    ]
    rows = [
        (node, name, month, category, _kind(manager, at), _amount(rng, 0.2))
        for at, (node, name) in enumerate(nodes)
        for month in MONTHS
        for category in CATEGORIES
    ]
    past = [str(month) for month in pd.period_range("2025-07", "2026-06", freq="M")]
    history = [(node, month, _amount(rng, 0.0), _amount(rng, 0.1)) for node, _ in nodes for month in past]
    wished = [(node, month, _amount(rng, 0.0)) for node, _ in nodes for month in MONTHS] if targets else []
    return Form(
        company, "2026Q3", person, MANAGER if manager else SELLER, issue, currency,
        dt.date(2026, 7, 10), dt.date(2026, 7, 14),
        frame(rows, ASKED), frame(history, HISTORY), frame(wished, TARGETS), **changes,
    )  # fmt: skip


def frame(rows: list, columns: tuple[str, ...]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=list(columns), dtype="object")
    amounts = {name for name in columns if name in {"said", "actual", "forecast", "value"}}
    return made.astype({name: "Int64" if name in amounts else "str" for name in columns})


def _kind(manager: bool, at: int) -> str:
    return OVERRIDE if manager and at < 2 else SUBMISSION


def _amount(rng: np.random.Generator, silent: float) -> int | None:
    return None if rng.random() < silent else int(rng.integers(20_000_00, 90_000_00))
