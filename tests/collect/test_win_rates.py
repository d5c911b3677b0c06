"""Win rates by stage, age and segment: what past deals say of open ones, within the time that is left."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from spms_lib.collect.outcomes import as_known, outcomes, standing
from spms_lib.collect.win_rate_trials import ONE_RATE, OWN, summed_up, try_win_rates
from spms_lib.collect.win_rates import STRENGTHS, expected_wins, learn_win_rates, rate_deals
from spms_lib.errors import ParamsError

QUARTER = {"first_day": dt.date(2026, 1, 1), "last_day": dt.date(2026, 3, 31)}
COLUMNS = ["opportunity", "node", "status", "stage", "amount", "close_date", "as_of"]


def deals(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS).assign(created=pd.Timestamp(2025, 12, 1), product="pumps")
    return frame.astype({"close_date": "datetime64[us]", "as_of": "datetime64[us]"})


def past(*bins: tuple[str, int, int], amount: int = 100) -> pd.DataFrame:
    """Past deals by stage: how many, and how many of them were won."""
    parts = [
        pd.DataFrame({"stage": stage, "won": np.arange(count) < won, "amount": amount})
        for stage, count, won in bins
    ]
    frame = pd.concat(parts, ignore_index=True).assign(age=10.0, segment=None, due=True)
    return frame.assign(won_amount=frame["won"] * amount)


def rates_of(observed: pd.DataFrame) -> dict[str, float]:
    return learn_win_rates(observed, keys=["stage"]).levels[1].set_index("stage")["rate"].to_dict()


# -- what counts as won -----------------------------------------------------------------------------


def test_a_deal_won_after_the_quarter_does_not_cover_the_quarter() -> None:
    """Six deals open at the end of January and what the snapshots to June say of them."""
    table = deals(
        *[(name, "a", "open", "propose", 100, "2026-03-15", "2026-01-31") for name in "uvwxyz"],
        ("u", "a", "won", "close", 90, "2026-03-31", "2026-03-31"),
        ("v", "a", "won", "close", 100, "2026-04-01", "2026-06-30"),
        ("w", "a", "lost", "propose", 100, "2026-02-10", "2026-02-28"),
        ("x", "a", "open", "propose", 100, "2026-07-31", "2026-06-30"),
        ("z", "a", "won", "close", 110, "2026-02-01", "2026-02-28"),
    )
    got = outcomes(table, day=dt.date(2026, 1, 31), **QUARTER, known_by=dt.date(2026, 6, 30))
    assert got.set_index("opportunity")["won"].to_dict() == {
        "u": True, "v": False, "w": False, "x": False, "y": False, "z": True,
    }  # fmt: skip
    assert got["won_amount"].tolist() == [90, 0, 0, 0, 0, 110]
    assert got["age"].tolist() == [61] * 6


def test_outcomes_are_not_read_before_a_snapshot_has_seen_the_end_of_the_quarter() -> None:
    table = deals(
        ("u", "a", "open", "propose", 100, "2026-03-15", "2026-01-31"),
        ("u", "a", "won", "close", 90, "2026-02-20", "2026-02-28"),
    )
    assert outcomes(table, day=dt.date(2026, 1, 31), **QUARTER, known_by=dt.date(2026, 6, 30)).empty


def test_a_snapshot_of_another_season_says_nothing_of_the_day() -> None:
    table = deals(
        ("u", "a", "open", "propose", 100, "2026-03-15", "2025-10-31"),
        ("u", "a", "won", "close", 90, "2026-02-20", "2026-03-31"),
    )
    assert outcomes(table, day=dt.date(2026, 1, 31), **QUARTER, known_by=dt.date(2026, 6, 30)).empty


def test_the_first_of_several_snapshots_is_not_asked_about_the_time_before_it() -> None:
    """It lists open deals and those just closed: the deals lost earlier would be missing from the past."""
    table = deals(
        ("u", "a", "open", "propose", 100, "2026-03-15", "2026-01-31"),
        ("u", "a", "open", "propose", 100, "2026-03-15", "2026-02-28"),
    )
    assert as_known(table, by=dt.date(2026, 1, 15)).empty
    alone = table.head(1)
    assert as_known(alone, by=dt.date(2026, 1, 15))["amount"].isna().all()


def test_age_is_days_in_the_stage_where_anybody_knows_them_and_since_creation_else() -> None:
    table = deals(("u", "a", "open", "propose", 100, "2026-03-15", "2026-01-31"))
    assert standing(table, **QUARTER)["age"].tolist() == [61]
    assert standing(table.assign(stage_since=pd.Timestamp(2026, 1, 1)), **QUARTER)["age"].tolist() == [30]
    assert standing(table, **QUARTER)["segment"].tolist() == ["pumps"]
    assert standing(table.assign(segment="new"), **QUARTER)["segment"].tolist() == ["new"]


def test_only_deals_expected_in_the_quarter_count_where_expectations_are_known() -> None:
    observed = past(("late", 40, 30))
    later = past(("late", 60, 0)).assign(due=False)
    assert rates_of(pd.concat([observed, later]))["late"] == pytest.approx(0.75, abs=0.01)
    unknown = pd.concat([observed, later]).assign(due=None)
    assert rates_of(unknown)["late"] == pytest.approx(0.30, abs=0.01)


# -- thin bins lean on coarser ones --------------------------------------------------------------------


def test_a_rate_follows_the_formula_of_the_module() -> None:
    """Held to a plain search for the strength, with the likelihood written out by the gamma function."""
    from math import lgamma

    bins = [("a", 40, 6), ("b", 30, 20), ("c", 3, 3), ("d", 50, 22)]
    mean = (51 + 0.5) / (123 + 1)

    def beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    def likely(k: float) -> float:
        return sum(
            beta(w + k * mean, n - w + k * (1 - mean)) - beta(k * mean, k * (1 - mean)) for _, n, w in bins
        )

    k = min(max(STRENGTHS, key=likely), 124)
    assert rates_of(past(*bins)) == pytest.approx({s: (w + k * mean) / (n + k) for s, n, w in bins})


def test_many_deals_speak_for_themselves_and_few_lean_on_the_rest() -> None:
    rates = rates_of(past(("early", 1000, 100), ("late", 1000, 800), ("rare", 2, 2)))
    assert rates["early"] == pytest.approx(0.10, abs=0.01)
    assert rates["late"] == pytest.approx(0.80, abs=0.01)
    assert 0.45 < rates["rare"] < 0.95


def test_bins_that_are_alike_share_one_rate() -> None:
    rates = rates_of(past(*[(f"s{i}", 20, 8 + i % 3) for i in range(12)]))
    assert max(rates.values()) - min(rates.values()) < 0.03


def test_rates_of_many_thin_bins_are_nearer_the_truth_than_their_own_shares_or_one_rate() -> None:
    """Truth drawn from a beta distribution; the 90 % intervals hold the truth about nine times in ten."""
    rng = np.random.default_rng(7)
    truth = rng.beta(3, 5, size=300)
    sizes = rng.integers(2, 25, size=300)
    won = rng.binomial(sizes, truth)
    level = learn_win_rates(
        past(*[(f"{i:03}", int(n), int(w)) for i, (n, w) in enumerate(zip(sizes, won, strict=True))]),
        keys=["stage"],
    ).levels[1]
    assert level["stage"].tolist() == sorted(level["stage"])

    def miss(guess: np.ndarray) -> float:
        return float(((guess - truth) ** 2).mean())

    assert miss(level["rate"].to_numpy()) < 0.8 * miss(won / sizes)
    assert miss(level["rate"].to_numpy()) < 0.8 * miss(np.full(300, won.sum() / sizes.sum()))
    inside = (level["low"] <= truth) & (truth <= level["high"])
    assert 0.84 < inside.mean() < 0.96
    assert level["thin"].tolist() == (sizes < 20).tolist()


def test_an_unseen_bin_takes_the_rate_of_the_next_coarser_one() -> None:
    rates = learn_win_rates(past(("early", 500, 50), ("late", 500, 400)), keys=["stage"])
    now = pd.DataFrame(
        {
            "node": "a",
            "stage": ["late", "new stage", None],
            "age": 10.0,
            "segment": None,
            "amount": 100,
            "due": True,
        }
    )
    got = rate_deals(rates, now)
    assert got["bin"].tolist() == ["late", "all deals", "all deals"]
    assert got["rate"].tolist()[1:] == pytest.approx([450.5 / 1001] * 2)


def test_money_won_may_differ_from_deals_won() -> None:
    """Large deals are lost more often: two thirds of the deals, but one third of the money."""
    small, large = past(("s", 200, 200), amount=100), past(("s", 100, 0), amount=400)
    level = learn_win_rates(pd.concat([small, large]), keys=[]).levels[0]
    assert level["rate"].item() == pytest.approx(2 / 3, abs=0.01)
    assert level["by_amount"].item() == pytest.approx(1 / 3)
    unknown = pd.concat([small, large]).assign(amount=np.nan)
    assert learn_win_rates(unknown, keys=["stage"]).levels[1]["by_amount"].isna().all()


def test_without_past_deals_nothing_is_learnt() -> None:
    with pytest.raises(ParamsError, match="No past deal"):
        learn_win_rates(past(("s", 3, 1)).head(0))


# -- what open deals are expected to bring -----------------------------------------------------------------


def test_expected_wins_are_amount_times_rate_and_their_interval_is_that_of_a_simulation() -> None:
    rates = learn_win_rates(past(("early", 60, 12), ("late", 40, 30)), keys=["stage"])
    rng = np.random.default_rng(3)
    amounts = rng.integers(50, 500, size=120)
    now = pd.DataFrame(
        {
            "node": ["a", "b"] * 60,
            "stage": ["early"] * 70 + ["late"] * 50,
            "age": 10.0,
            "segment": None,
            "amount": amounts,
        }
    ).assign(due=True)
    rated = rate_deals(rates, now)
    got = expected_wins(rated, pd.Series("all", index=["a", "b"])).loc["all"]
    assert got["expected"] == pytest.approx((rated["amount"] * rated["rate"]).sum())
    bins = rated.drop_duplicates("bin").set_index("bin")
    drawn = rng.beta(bins["alpha"], bins["beta"], size=(4000, len(bins)))  # one rate per bin and trial
    sums = (rng.random((4000, 120)) < drawn[:, bins.index.get_indexer(rated["bin"])]) @ amounts
    low, high = np.quantile(sums, [0.05, 0.95])
    assert [got["low"], got["high"]] == pytest.approx([low, high], rel=0.04)
    parts = expected_wins(rated, pd.Series(["a", "b"], index=["a", "b"]))
    assert parts["expected"].sum() == pytest.approx(got["expected"])
    assert parts["high"].sum() - parts["low"].sum() > got["high"] - got["low"]  # luck evens out in the sum


# -- trials ---------------------------------------------------------------------------------------------


def year_of_quarters(days_left: int) -> tuple[pd.DataFrame, dict[str, tuple[dt.date, dt.date]]]:
    """Each quarter, seen so many days before its end: 40 late deals, 30 won, and 40 early ones, 4 won."""
    rows, periods = [], {}
    for quarter in range(4):
        first = dt.date(2025, 1 + 3 * quarter, 1)
        last = (pd.Timestamp(first) + pd.offsets.QuarterEnd()).date()
        seen = pd.Timestamp(last) - pd.Timedelta(days=days_left)
        periods[f"2025Q{quarter + 1}"] = (first, last)
        for stage, count, won in (("late", 40, 30), ("early", 40, 4)):
            for number in range(count):
                name = f"{quarter}-{stage}-{number}"
                end = "won" if number < won else "lost"
                rows.append((name, "a", "open", stage, 100, last, seen))
                rows.append((name, "a", end, stage, 100, last, pd.Timestamp(last)))
    return deals(*rows), periods


def tried(days_left: int) -> pd.DataFrame:
    table, periods = year_of_quarters(days_left)
    year_end = dt.date(2025, 12, 31)
    return try_win_rates(
        table, periods, days_left=days_left, known_by=year_end, one_rate=lambda _: (0.425, 0.425)
    )


def test_own_rates_beat_one_rate_where_stages_differ() -> None:
    """One rate says 42.5 % of every deal: right in money, and wrong of each."""
    trials = tried(30)
    assert trials["period"].unique().tolist() == ["2025Q3", "2025Q4"]  # two quarters to learn from come first
    total = summed_up(trials).set_index("rule")
    assert total.loc[OWN, "brier"] == pytest.approx((0.75 * 0.25 + 0.1 * 0.9) / 2, abs=0.002)
    assert total.loc[ONE_RATE, "brier"] == pytest.approx((0.75 * 0.25 + 0.325**2 + 0.1 * 0.9 + 0.325**2) / 2)
    assert total.loc[ONE_RATE, "bias_ratio"] == pytest.approx(0)
    assert trials.loc[trials["rule"] == OWN, "low"].lt(3400).all()
    assert trials.loc[trials["rule"] == OWN, "high"].gt(3400).all()


def test_who_stands_before_a_quarter_has_not_seen_the_end_of_the_one_before() -> None:
    """100 days before the end of the third quarter, the second is not over: one quarter is too few to learn from."""
    assert tried(100)["period"].unique().tolist() == ["2025Q4"]
