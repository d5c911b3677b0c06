"""Bias of each forecaster: own record, drawn towards team and company, with what the market did taken out.

Conventions: bias = forecast - actual, here as a ratio: bias_ratio = exp(bias) - 1, where bias is the mean of
ln(forecast / actual). 0.05 means that the forecast lay 5 % above the actual in the middle; positive is over-forecast.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from spms_lib.collect.calibration.mixed import (
    COMPONENTS,
    NOISE,
    PERSON,
    TEAM,
    Design,
    Floats,
    Solution,
    components,
    solve,
)
from spms_lib.collect.calibration.record import FORECASTER, LOG_RATIO, QUARTER
from spms_lib.tables import NODE, need

COVER: Final = 0.9
FREAK: Final = 4.0
FEW: Final = 4
OWN, BY_TEAM, BY_COMPANY, NONE = "own", "team", "company", "none"
COMPANY: Final = "(company)"


@dataclass(frozen=True, eq=False)
class Biases:
    """How far forecasters are off, and how sure that is.

    Attributes
    ----------
    people
        Indexed by forecaster: team, months, quarters, own (mean log ratio, nothing taken out), clipped (freak months),
        effective (quarters, after recency), alone (own record without what its quarters did to all), sd_alone, weight (of
        `alone` against team and company, 0 to 1), bias, sd_own, sd_shared (the part that goes with the company's mean),
        df, low, high, bias_ratio, ratio_low, ratio_high, evidence (own; team where the past is shorter than asked).
    teams
        Indexed by team: people, months, bias (mean of the people there), sd_own, sd_shared, df, low, high, ratios.
    company
        The same for all people of the company.
    newcomers
        What holds for somebody without an own record: indexed by team, and by `COMPANY` for one without a known team;
        bias, sd_own, sd_shared, df, low, high, ratios, evidence.
    spread
        Standard deviations on the log scale by source: team, person, quarter, market (within a quarter), noise (of the
        mean of a person's quarter), month (of single months within it) and seat (of what those months have in common).
    quarters
        Columns quarter, market, effect, ratio: what all forecasters of a market were off beyond their bias.
    """

    people: pd.DataFrame
    teams: pd.DataFrame
    company: pd.Series
    newcomers: pd.DataFrame
    spread: pd.Series
    quarters: pd.DataFrame
    cover: float = COVER


def learn_bias(
    record: pd.DataFrame,
    *,
    team: pd.Series,
    market: pd.Series,
    half_life: float = 4.0,
    least_history: int = 6,
    cover: float = COVER,
) -> Biases | None:
    """Learn how far each forecaster is off, as an empirical Bayes estimate.

    A month's log ratio beyond `FREAK` robust standard deviations of what the person and the quarter let expect is clipped
    there; months are averaged by quarter. Then ln(forecast / actual) = company + team + person + quarter + market in the quarter + noise,
    all but the company's mean random. Their sizes are found by restricted likelihood on the whole past; the biases with
    recent quarters counting more. So a quarter in which the market failed everybody is not called anybody's optimism,
    and a bias that all have in common is only as sure as the number of quarters makes it.

    Parameters
    ----------
    record
        Rows of one category of `track_record`; those without a log ratio count nothing.
    team, market
        Indexed by node: the group that a forecaster is drawn towards, and the group that shares its luck.
    half_life
        Age in quarters at which a quarter counts half. Weights of a person are scaled to the number of quarters that
        are worth as much (Kish), so that old quarters cost precision and not honesty.
    least_history
        Months that a person needs before an own bias is stated; until then it is the team's, with the spread of people.
    cover
        Of the intervals; Student's t with degrees of freedom by Satterthwaite: quarters - 1 for what is shared, and
        what people and quarters leave over for what is a person's own.

    Returns
    -------
    Biases or None
        None where nobody has a usable past.

    Raises
    ------
    TableError
        If a column is missing.

    References
    ----------
    Robinson (1991), That BLUP is a good thing. Kish (1965), Survey sampling. Satterthwaite (1946).
    """
    need(record, [FORECASTER, NODE, QUARTER, LOG_RATIO], "record")
    rows = record[record[LOG_RATIO].notna()]
    if rows.empty:
        return None
    rows = rows.assign(clipped=_clipped(rows), market=rows[NODE].map(market).fillna(NONE).astype(str))
    cells = rows.groupby([FORECASTER, QUARTER], sort=True).agg(
        value=("clipped", "mean"), months=("clipped", "size"), market=("market", "last")
    ).reset_index()  # fmt: skip
    homes = _homes(rows, team)
    names, at = np.unique(homes[cells[FORECASTER].drop_duplicates()], return_inverse=True)
    quarters, when = np.unique(cells[QUARTER], return_inverse=True)
    markets, where = np.unique(cells["market"], return_inverse=True)
    _, person = np.unique(cells[FORECASTER], return_inverse=True)
    design = Design(cells["value"].to_numpy(dtype=np.float64), person, when, where, at)
    share = (cells["months"] / cells.groupby(QUARTER)["months"].transform("max")).to_numpy(np.float64)
    sd = components(design, share)
    recent = share * 0.5 ** ((len(quarters) - 1 - when) / half_life)
    totals = np.bincount(person, recent)
    effective = totals**2 / np.bincount(person, recent**2)
    found = solve(design, sd, recent * (effective / totals)[person])
    freedom = _freedom(design)
    people = _people(rows, homes, found, effective)
    shared = _newcomers(names, found, sd)
    drawn = shared.reindex(people["team"]).set_axis(people.index)
    people["alone"] = drawn["bias"] + (people["bias"] - drawn["bias"]) / people["weight"]
    people["sd_alone"] = np.sqrt(found.own_variance / people["weight"] + people["sd_shared"] ** 2)
    averages = _averages(people, names, found)
    short = people["months"] < least_history
    people.loc[short, list(drawn)] = drawn[short]
    people.loc[short, "weight"] = 0.0
    averages = _intervals(averages, freedom, cover)
    return Biases(
        people=_intervals(people, freedom, cover),
        teams=averages.drop(index=COMPANY).rename_axis("team"),
        company=averages.T[COMPANY],
        newcomers=_intervals(shared, freedom, cover),
        spread=_spread(rows, cells, sd),
        quarters=_shocks(design, found, list(quarters), list(markets)),
        cover=cover,
    )


def _clipped(rows: pd.DataFrame) -> pd.Series:
    """Pull freak months in: towards the person's median and what the quarter did to the others (one median polish).

    Somebody with fewer than `FEW` months is measured by the company's median and spread.
    """
    value = rows[LOG_RATIO]
    own = value.groupby(rows[FORECASTER])
    few = own.transform("size") < FEW
    middle = own.transform("median").where(~few, value.median())
    quarter = (value - middle).groupby(rows[QUARTER])
    middle = middle + quarter.transform("median").where(quarter.transform("size") >= FEW, 0.0)
    gaps = (value - middle).abs()
    usual = gaps.groupby(few).transform("median")
    reach = FREAK * 1.4826 * usual.where(~few, (value - value.median()).abs().median())
    return value.clip(middle - reach, middle + reach).where(reach > 0, value)


def _homes(rows: pd.DataFrame, team: pd.Series) -> pd.Series:
    """Find the team of each forecaster's last node."""
    last = rows.sort_values(QUARTER, kind="stable").drop_duplicates(FORECASTER, keep="last")
    return last.set_index(FORECASTER)[NODE].map(team).fillna(NONE).astype(str).sort_index()


def _spread(rows: pd.DataFrame, cells: pd.DataFrame, sd: Floats) -> pd.Series:
    """Split the noise of a quarter into that of its single months and that which they share."""
    quarter = rows["clipped"].groupby([rows[FORECASTER], rows[QUARTER]])
    freedom = len(rows) - len(cells)
    month = ((rows["clipped"] - quarter.transform("mean")) ** 2).sum() / max(freedom, 1)
    full = cells.groupby(QUARTER)["months"].max().mean()
    seat = max(sd[NOISE] ** 2 - month / full, 0.0)
    return pd.Series([*sd, np.sqrt(month), np.sqrt(seat)], [*COMPONENTS, "month", "seat"], name="sd")


def _freedom(design: Design) -> tuple[float, float]:
    """Degrees of freedom of what is a person's own, and of what all share."""
    persons, quarters = len(design.team), len(np.unique(design.quarter))
    return max(len(design.y) - persons - quarters + 1, 1), max(quarters - 1, 1)


def _people(rows: pd.DataFrame, homes: pd.Series, found: Solution, effective: Floats) -> pd.DataFrame:
    grouped = rows.assign(freak=rows["clipped"] != rows[LOG_RATIO]).groupby(FORECASTER, sort=True)
    people = grouped.agg(
        months=(LOG_RATIO, "size"), quarters=(QUARTER, "nunique"), own=(LOG_RATIO, "mean"), clipped=("freak", "sum")
    )  # fmt: skip
    people.insert(0, "team", homes)
    own, common = _variances(found, found.pull, found.own_variance)
    return people.assign(
        effective=effective, weight=found.weight, bias=found.mean, sd_own=own, sd_shared=common, evidence=OWN
    )


def _variances(found: Solution, pull: Floats, own_variance: Floats) -> tuple[Floats, Floats]:
    """Part the standard deviation of biases: what goes along with the error of the company's mean, and the rest."""
    mean = found.pull.mean(axis=0)
    along = pull @ found.covariance @ mean
    whole = ((pull @ found.covariance) * pull).sum(axis=1) + own_variance
    common = np.maximum(along, 0.0) / np.sqrt(max(mean @ found.covariance @ mean, 1e-300))
    return np.sqrt(np.maximum(whole - common**2, 0.0)), common


def _averages(people: pd.DataFrame, names: Floats, found: Solution) -> pd.DataFrame:
    """Average the biases of the people of each team, and of all."""
    groups = people.groupby("team").agg(people=("months", "size"), months=("months", "sum")).reindex(names)
    groups.loc[COMPANY] = groups.sum()
    member = np.vstack([people["team"].to_numpy() == np.array(names)[:, None], np.ones(len(people))])
    share = member / member.sum(axis=1, keepdims=True)
    own, common = _variances(found, share @ found.pull, share**2 @ found.own_variance)
    return groups.assign(bias=share @ found.mean, sd_own=own, sd_shared=common)


def _newcomers(names: Floats, found: Solution, sd: Floats) -> pd.DataFrame:
    """Say what is known of somebody of a team, and of the company, of whom nothing is known."""
    teams = len(names)
    pull = np.zeros((teams + 1, found.pull.shape[1]))
    pull[:, 0] = 1.0
    pull[np.arange(teams), 1 + np.arange(teams)] = 1.0
    single = np.append(np.full(teams, sd[PERSON] ** 2), sd[PERSON] ** 2 + sd[TEAM] ** 2)
    own, common = _variances(found, pull, single)
    evidence = [*[BY_TEAM] * teams, BY_COMPANY]
    columns = {"bias": pull @ found.shared, "sd_own": own, "sd_shared": common, "evidence": evidence}
    return pd.DataFrame(columns, index=[*names, COMPANY])


def _intervals(table: pd.DataFrame, freedom: tuple[float, float], cover: float) -> pd.DataFrame:
    """Add the interval of the bias, on the log scale and as ratios."""
    own, shared = table["sd_own"] ** 2, table["sd_shared"] ** 2
    parts = own**2 / freedom[0] + shared**2 / freedom[1]
    df = (own + shared) ** 2 / parts.where(parts > 0)
    reach = stats.t.ppf(0.5 + cover / 2, df.fillna(freedom[0])) * np.sqrt(own + shared)
    low, high = table["bias"] - reach, table["bias"] + reach
    ratios = {"bias_ratio": table["bias"], "ratio_low": low, "ratio_high": high}
    return table.assign(
        df=df.fillna(freedom[0]),
        low=low,
        high=high,
        **{name: np.expm1(value) for name, value in ratios.items()},
    )


def _shocks(design: Design, found: Solution, quarters: list[str], markets: list[str]) -> pd.DataFrame:
    """Lay out what quarters and markets did: the quarter's effect plus the market's own in it."""
    teams, count, _ = design.sizes
    whole = found.shared[1 + teams : 1 + teams + count]
    single = found.shared[1 + teams + count :].reshape(len(markets), count)
    effect = (single + whole).T.ravel()
    cells = pd.MultiIndex.from_product([quarters, markets], names=[QUARTER, "market"])
    seen = (
        pd.Series(1, pd.MultiIndex.from_arrays([design.quarter, design.market])).groupby(level=[0, 1]).sum()
    )
    there = seen.reindex(pd.MultiIndex.from_product([range(count), range(len(markets))]), fill_value=0) > 0
    table = pd.DataFrame({"effect": effect, "ratio": np.expm1(effect)}, index=cells)
    return table[there.to_numpy()].reset_index()
