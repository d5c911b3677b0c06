"""A ledger in memory, and cells written as lines of text."""

import pandas as pd
import pytest

from spms_lib.store.ledger import Ledger


def _cells(text):
    """Read lines such as `north 2026-01 revenue 100`; `?` is null, `-` withdraws."""
    rows = [line.split() for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["node", "period", "measure", "value"])
    numbers = [None if value in "?-" else int(value) for value in frame["value"]]
    return frame.assign(value=pd.array(numbers, dtype="Int64"), withdrawn=frame["value"] == "-")


def _lines(state):
    """Write a state as `_cells` reads it."""
    shown = state["value"].astype(object).where(state["value"].notna(), "?").astype(str)
    return (state["node"] + " " + state["period"] + " " + state["measure"] + " " + shown).tolist()


@pytest.fixture
def cells():
    return _cells


@pytest.fixture
def lines():
    return _lines


@pytest.fixture
def ledger():
    with Ledger.open("sqlite://") as opened:
        yield opened
