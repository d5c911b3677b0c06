"""Made-up payees whose gaming is known, because it was put there."""

import numpy as np
import pandas as pd

EDGES = pd.DataFrame(
    {
        "edge": [0.8, 1.0, 1.2],
        "jump": [0.0, 0.2, 0.0],
        "slope_before": [0.5, 1.0, 2.0],
        "slope_after": [1.0, 1.0, 3.0],
        "clause": ["4.1", "4.2", "4.3"],
    }
)
INTERVALS = pd.DataFrame(
    {
        "interval": [f"2026Q{n}" for n in range(1, 5)],
        "starts_on": pd.to_datetime(["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"]),
        "ends_on": pd.to_datetime(["2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31"]),
    }
)


def attainments(rng: np.random.Generator, payees: int, moved: int = 0) -> pd.DataFrame:
    """Normal about 95 %; `moved` of those less than 6 points below quota end just above it instead."""
    values = rng.normal(0.95, 0.2, payees)
    short = rng.permutation(np.flatnonzero((values >= 0.94) & (values < 1.0)))[:moved]
    assert len(short) == moved
    values[short] = 1.0 + rng.uniform(0, 0.02, moved)
    return pd.DataFrame({"attainment": values, "target_incentive": 50_000_00})


def panel(
    rng: np.random.Generator,
    *,
    payees: int = 50,
    quarters: int = 8,
    late: float = 0.0,
    pull: float = 0.0,
    push: float = 0.0,
    spells: float = 0.15,
) -> pd.DataFrame:
    """Payees of different size over quarters with good and bad spells; gaming in shares of usual sales.

    Quota is the usual of each payee; one edge at 100 %, a cap at 115 %. Near below the edge, `late`
    more is sold in the last tenth and `pull` less in the next first tenth; capped or more than 40 points
    below, `push` more is sold there.
    """
    level = np.exp(rng.normal(0, 0.4, (payees, 1))) * 1e6
    spell = np.exp(rng.normal(0, 0.1, (1, quarters))) * np.exp(rng.normal(0, spells, (payees, quarters)))

    def sold(share: float, spread: float) -> np.ndarray:
        return share * level * spell * rng.gamma(spread**-2, spread**2, (payees, quarters))

    first, middle, last = sold(0.1, 0.7), sold(0.8, 0.2), sold(0.1, 0.7)
    for quarter in range(quarters):
        at = (first + middle)[:, quarter] / level[:, 0]
        near, idle = (at >= 0.85) & (at < 1), (at >= 1.15) | (at < 0.6)
        last[:, quarter] += late * near * level[:, 0]
        if quarter + 1 < quarters:
            first[:, quarter + 1] += (push * idle - pull * near) * level[:, 0]
    before = first + middle
    keys = pd.MultiIndex.from_product([range(payees), range(quarters)], names=["payee", "interval"])
    frame = pd.DataFrame({"attainment": (before / level).ravel()}, index=keys).reset_index()
    return frame.assign(
        edge=np.where(frame["attainment"] < 1, 1.0, np.nan),
        capped=frame["attainment"] >= 1.15,
        before=before.ravel(),
        late=last.ravel(),
        after=np.column_stack([first[:, 1:], np.full(payees, np.nan)]).ravel(),
    )


def discounted(
    rng: np.random.Generator, *, payees: int = 30, deals: int = 20, size: float = 0.0
) -> pd.DataFrame:
    """Deals whose discount follows the seller, the quarter of the seller, the days left, and `size` x rates."""
    who, count = np.repeat(np.arange(payees), deals), payees * deals
    quarter = rng.integers(0, 6, count)
    days = rng.integers(0, 90, count)
    late = rng.choice([0.1, 0.2], count)  # accelerators are reached late in the quarter
    now, later = np.where(days < 45, late, rng.choice([0.05, 0.1], count)), rng.choice([0.05, 0.1], count)
    habit = rng.normal(0.15, 0.05, payees)[who] + rng.normal(0, 0.03, payees)[who] * (quarter / 3 - 1)
    discount = habit - 0.0005 * days + size * (now - later) + rng.normal(0, 0.06, count)
    return pd.DataFrame(
        {
            "payee": who,
            "interval": quarter,
            "discount": discount,
            "marginal_rate_now": now,
            "marginal_rate_next": later,
            "days_to_end": days,
            "amount": 1_000_00,
        }
    )


def dated_deals(
    rng: np.random.Generator, *, payees: int = 40, push: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Deals first expected within two weeks of a quarter's end, of which one in five slips over it.

    A capped payee lets `push` more of those that were expected before the end slip. Returns the deals and standings.
    """
    keys = pd.MultiIndex.from_product([range(payees), INTERVALS["interval"][:3]], names=["payee", "interval"])
    standings = pd.DataFrame({"capped": rng.random(len(keys)) < 0.3}, index=keys).reset_index()
    standings = standings.assign(attainment=np.where(standings["capped"], 1.5, 0.8), edge=1.0)
    rows = standings.loc[standings.index.repeat(6)].merge(INTERVALS, on="interval").reset_index(drop=True)
    before = np.arange(len(rows)) % 2 == 0
    chance = 0.2 + push * (rows["capped"] & before)
    slips = ((rng.random(len(rows)) < chance) & before).to_numpy()
    said = rows["ends_on"] + pd.to_timedelta(np.where(before, -7, 7), unit="D")
    closed = said + pd.to_timedelta(14 * slips, unit="D")
    deals = pd.DataFrame({"opportunity": rows.index, "payee": rows["payee"], "amount": 100_00})
    return deals.assign(close_first=said, close_last=closed, closed_on=closed), standings
