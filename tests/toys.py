"""Small things that several tests show their data with."""

from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]

TOY = """
node   parent level
toy    -      company
north  toy    region
south  toy    region
anna   north  seller
ben    north  seller
carl   south  seller
dora   south  seller
emil   south  seller
"""


def table(text: str) -> pd.DataFrame:
    """Read a small table written in columns; a dash is missing."""
    rows = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame(rows[1:], columns=rows[0]).replace({"-": None})
