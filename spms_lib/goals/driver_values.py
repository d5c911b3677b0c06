"""What the values of a driver are made of: growth on history, reachable market, accounts, and a floor under zero."""

import pandas as pd

from spms_lib.errors import NoBasisError
from spms_lib.hierarchy import Hierarchy


def raise_to_floor(hierarchy: Hierarchy, driver: pd.Series, floor: float) -> tuple[pd.Series, pd.DataFrame]:
    """Lift leaves with little or nothing to a share of what their siblings have, by rule and on record.

    Zero is a value: a seat that sold nothing gets no target by history. Where that is not
    wanted, such as after a long leave, the floor says how much it gets instead.

    Parameters
    ----------
    driver
        Indexed by leaf; a missing value stays missing (see `fill_newcomers`).
    floor
        Ratio, 0 to 1, of the mean of the positive leaves under the same parent; 0 changes nothing.

    Returns
    -------
    pd.Series
        Indexed by every leaf.
    pd.DataFrame
        Columns node, rule, before, value: one row per leaf that was lifted.

    Raises
    ------
    NoBasisError
        If the floor is not between 0 and 1.

    Examples
    --------
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> raise_to_floor(tree, pd.Series({"a": 100.0, "b": 0.0}), 0.2)[0].to_dict()
    {'a': 100.0, 'b': 20.0}
    """
    if not 0 <= floor <= 1:
        raise NoBasisError(f"The floor {floor} is not a ratio.", where="drivers", remedy="Use 0 to 1.")
    values = driver.reindex(hierarchy.leaves).astype(float)
    parent = hierarchy.parents.reindex(hierarchy.leaves)
    least = values.where(values > 0).groupby(parent, dropna=False).transform("mean") * floor
    low = values < least
    record = pd.DataFrame(
        {
            "node": values.index[low],
            "rule": (f"{floor:.0%} of the mean of " + parent[low].astype("str")).to_numpy(),
            "before": values[low].to_numpy(),
            "value": least[low].to_numpy(),
        }
    )
    return values.where(~low, least), record


def with_growth(history: pd.Series, growth: pd.Series | float) -> pd.Series:
    """Grow history by a ratio: the commonest way to set a quota, last year plus.

    Parameters
    ----------
    growth
        One ratio for all, or one per leaf; 0.08 is 8 %. Missing where nobody has said.

    Examples
    --------
    >>> with_growth(pd.Series({"a": 100.0, "b": 50.0}), pd.Series({"a": 0.1, "b": 0.0})).round(6).to_dict()
    {'a': 110.0, 'b': 50.0}
    """
    return history * (1.0 + growth)


def reachable_market(potential: pd.Series, capture: pd.Series) -> pd.Series:
    """Compute the part of each leaf's market that it can realistically win.

    Parameters
    ----------
    potential
        Size of the market, in any unit.
    capture
        Ratio that can be won, 0 to 1: 0.01 of a market of 100 million is one million.

    Raises
    ------
    NoBasisError
        If a share lies outside 0 to 1: 35 for 35 % would drown every other leaf.

    Examples
    --------
    >>> reachable_market(pd.Series({"a": 100e6}), pd.Series({"a": 0.01})).to_dict()
    {'a': 1000000.0}
    """
    wrong = capture[(capture < 0) | (capture > 1)]
    if len(wrong):
        raise NoBasisError(
            f"The share of the market that '{wrong.index[0]}' can win is {wrong.iloc[0]:g}.",
            where="drivers",
            remedy="Give a ratio from 0 to 1; 0.35 is 35 %.",
        )
    return potential * capture


def account_roll_up(accounts: pd.DataFrame) -> pd.Series:
    """Add up what was asked of each account to its seller: the account-based quota.

    Parameters
    ----------
    accounts
        Columns account, node, target. An account without a target says nothing; a leaf
        none of whose accounts has one is missing, not zero.

    Examples
    --------
    >>> account_roll_up(pd.DataFrame({"account": ["x", "y", "z"], "node": ["a", "a", "b"],
    ...     "target": [10.0, 5.0, None]})).to_dict()
    {'a': 15.0, 'b': nan}
    """
    sums: pd.Series = accounts["target"].astype(float).groupby(accounts["node"]).sum(min_count=1)
    return sums.rename_axis(None)
