"""Records of made-up forecasters whose bias is known."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

Drawn = Callable[..., pd.DataFrame]


@pytest.fixture
def drawn() -> Drawn:
    """Draw a record: a bias per forecaster, shocks per quarter, noise per month."""

    def _drawn(
        biases: dict[str, float], *, quarters: int = 8, noise: float = 0.1, shocks: float = 0.0, seed: int = 1
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        shock = rng.normal(0.0, shocks, quarters) if shocks else np.zeros(quarters)
        rows = [
            (name, f"seat of {name}", f"{2020 + at // 4}-{3 * (at % 4) + month + 1:02d}", f"{2020 + at // 4}Q{at % 4 + 1}",
             bias + shock[at] + rng.normal(0.0, noise))
            for name, bias in biases.items() for at in range(quarters) for month in range(3)
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["forecaster", "node", "period", "quarter", "log_ratio"])
        actual = rng.uniform(50_000.0, 150_000.0, len(frame))
        return frame.assign(actual=actual, forecast=actual * np.exp(frame["log_ratio"]))

    return _drawn


@pytest.fixture
def one_team() -> pd.Series:
    """Everybody in one team and one market, whatever the seat."""

    class Everywhere(dict):
        def __missing__(self, key: str) -> str:
            return "north"

    return Everywhere()  # type: ignore[return-value]
