"""Crediting: from sales, splits and the organisation to who is credited with what."""

from typing import Any

import numpy as np
import pandas as pd

from spms_lib.errors import ParamsError
from spms_lib.findings import NOTED, findings, join
from spms_lib.incentives.crediting.dating import Ints
from spms_lib.incentives.crediting.lines import Lines, direct_lines, group_starts
from spms_lib.incentives.crediting.organisation import Organisation
from spms_lib.incentives.crediting.roll_up import rolled_up
from spms_lib.incentives.crediting.rules import SPLIT, CreditingRules
from spms_lib.incentives.crediting.sales import (
    AMOUNT,
    NODE,
    PAYEE,
    REVERSES,
    TRANSACTION,
    Sales,
    usable_sales,
)
from spms_lib.incentives.crediting.splits import CREDIT_TYPE, SHARE, usable_splits

CREDIT = "credit"


def credit(
    transactions: pd.DataFrame,
    rules: CreditingRules,
    *,
    splits: pd.DataFrame | None = None,
    hierarchy: pd.DataFrame | None = None,
    roster: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Credit every sale to those who earned it, once per credit type and to the cent.

    Who is meant by a seat, and who manages it, is asked of the day of the sale. A reversal
    goes back to the payees and shares of the sale that it reverses, whoever sits there now.
    After a reorganisation the same call with the new tables gives the new credits.

    Parameters
    ----------
    transactions
        Columns transaction (id), date, amount (int64 minor units), and who owns the sale: node
        (a seat) or payee (a person or a pool), or both. Optionally units and margin (int64) and
        reverses (id of a transaction). Further columns are handed on.
    rules
        From `crediting_from_dict`.
    splits
        Columns transaction, payee (or seat), credit_type, share (1 is 100 %). A sale without rows
        of a type is its owner's.
    hierarchy
        Table `hierarchy`, with valid_from and valid_to where it changes. Its owners sit in the
        nodes that the roster does not speak of.
    roster
        Columns node, person, start, end. Without it nodes are payees themselves.

    Returns
    -------
    credits
        Columns credit (id: transaction/type/number), transaction, payee, credit_type, date, share,
        amount, units, margin (int64; units and margin where stated), reverses (id of the credit
        that it takes back), and all further columns of `transactions`.
    findings
        Rejected: rows that credit nobody. Noted: vacant seats and other things to look at;
        `uncredited` lists the sales behind them.

    Raises
    ------
    ParamsError
        If the rules roll up and there is no hierarchy.

    Examples
    --------
    >>> from spms_lib.incentives.crediting.rules import CreditingRules, CreditType
    >>> sales = pd.DataFrame({"transaction": ["T1"], "payee": ["anna"], "date": ["2026-01-05"], "amount": [100]})
    >>> shares = pd.DataFrame({"transaction": "T1", "payee": ["anna", "ben", "carl"],
    ...                        "credit_type": "revenue", "share": 1 / 3})
    >>> credits, _ = credit(sales, CreditingRules((CreditType("revenue"),)), splits=shares)
    >>> credits["amount"].tolist()
    [34, 33, 33]
    """
    if rules.roll_ups and hierarchy is None:
        raise ParamsError(
            "The plan credits managers, and there is no hierarchy.", where="crediting", remedy="Give it."
        )
    sales, sale_findings = usable_sales(transactions)
    split, sales, split_findings = usable_splits(splits, sales, rules)
    owners = [sales.rows[name] for name in (PAYEE, NODE) if name in sales.rows]
    organisation, seat_findings = Organisation.of(hierarchy, roster, *owners, split.payee)
    direct = direct_lines(sales, split, rules, organisation)
    names = [one.name for one in rules.types]
    named = list(zip(names, direct, strict=True))
    for rule in rules.roll_ups:
        base = direct[names.index(rule.of)]
        named += rolled_up(rule, base, sales.days[base.sale], organisation)
    table = _frame(sales, named, organisation)
    nobody = _nobody(sales, named, organisation)
    return table, join(sale_findings, split_findings, seat_findings, nobody)


def _frame(sales: Sales, named: list[tuple[str, Lines]], organisation: Organisation) -> pd.DataFrame:
    """Put all lines into one table, sale by sale."""
    columns = zip(*(lines for _, lines in named), strict=True)
    every = Lines(*(np.concatenate(parts) for parts in columns))
    types = list(dict.fromkeys(name for name, _ in named))
    kind = np.repeat([types.index(name) for name, _ in named], [len(lines.sale) for _, lines in named])
    order = np.lexsort((kind, every.sale))
    every, kind = every.keep(order), kind[order]
    starts = group_starts(every.sale * len(types) + kind)
    number = np.arange(len(kind)) - np.repeat(starts, np.diff(np.append(starts, len(kind)))) + 1
    real = every.payee >= 0
    every, kind, number = every.keep(real), kind[real], number[real]
    kinds = pd.Index(types, dtype="str")
    rows = sales.rows.take(every.sale).reset_index(drop=True)
    middle = pd.Series("/" + kinds + "/").take(kind).reset_index(drop=True)
    ids = rows[TRANSACTION].astype("str") + middle + pd.Series(number).astype("str")
    taken = _reversed(every, kind, sales)
    head: dict[str, Any] = {
        CREDIT: ids,
        TRANSACTION: rows[TRANSACTION],
        PAYEE: organisation.names.take(every.payee),
        CREDIT_TYPE: kinds.take(kind),
        "date": rows["date"],
        SHARE: every.share,
        **{str(name): every.values[:, place] for place, name in enumerate(sales.counted)},
        REVERSES: ids.take(taken).where(taken >= 0).array if len(ids) else ids,
    }
    further = {str(name): rows[name] for name in rows if name not in head}
    return pd.DataFrame(head | further)


def _reversed(lines: Lines, kind: Ints, sales: Sales) -> Ints:
    """Find for each credit of a reversal the credit that it takes back: same type and payee, in turn."""
    taken = np.full(len(kind), -1, dtype=np.int64)
    back = sales.reverses[lines.sale]
    rows = np.flatnonzero(back >= 0)
    involved = np.zeros(len(sales.rows), dtype=bool)
    involved[back[rows]] = True
    keys = pd.DataFrame({"sale": lines.sale, "kind": kind, PAYEE: lines.payee})
    keys = keys[involved[lines.sale] | (back >= 0)]
    keys["turn"] = keys.groupby(["sale", "kind", PAYEE]).cumcount()
    theirs = keys.assign(place=keys.index)
    pairs = keys.loc[rows].assign(sale=back[rows]).merge(theirs, how="left")
    taken[rows] = pairs["place"].fillna(-1).to_numpy(dtype=np.int64)
    return taken


def _nobody(sales: Sales, named: list[tuple[str, Lines]], organisation: Organisation) -> pd.DataFrame:
    """Note vacant seats and payees without a seat, once per credit type, with how many credits it concerns."""
    found = []
    for name, lines in named:
        seated = organisation.is_node[lines.stated]
        checks = [
            (
                "nobody is there to be credited",
                lines.payee < 0,
                "Fill the seat or name a payee, and credit again.",
            )
        ]
        if organisation.occupant is not None:
            away = ~seated & (lines.node < 0) & (lines.payee >= 0)
            checks.append(
                ("payee sits in no seat that day", away, "Fine for a pool; nothing rolls up from here.")
            )
        for rule, rows, remedy in checks:
            stated, first, count = np.unique(lines.stated[rows], return_index=True, return_counts=True)
            sale = sales.rows.iloc[lines.sale[rows][first]]
            who = ["(not stated)" if one < 0 else organisation.names[one] for one in stated]
            said = [
                f"{one}: {many} of {name}, first {transaction}"
                for one, many, transaction in zip(who, count, sale[TRANSACTION], strict=True)
            ]
            found.append(
                findings("transactions", sale.index.tolist(), PAYEE, rule, said, remedy, severity=NOTED)
            )
    return join(*found)


def uncredited(transactions: pd.DataFrame, credited: pd.DataFrame, rules: CreditingRules) -> pd.DataFrame:
    """List what no payee was credited with: by sale and split type, the amount less its credits.

    An empty table proves that every cent of every sale is credited once per type. Rows are
    sales on vacant seats, and sales that findings leave out.

    Returns
    -------
    pd.DataFrame
        Columns transaction, credit_type, amount, credited, gap (int64 minor units; missing amounts are left out).

    Examples
    --------
    >>> sales = pd.DataFrame({"transaction": ["T1"], "node": ["seat"], "amount": [100]})
    >>> nothing = pd.DataFrame({"transaction": [], "credit_type": [], "amount": []})
    >>> from spms_lib.incentives.crediting.rules import CreditType
    >>> uncredited(sales, nothing, CreditingRules((CreditType("revenue"),)))["gap"].tolist()
    [100]
    """
    types = [one.name for one in rules.types if one.kind == SPLIT]
    known = transactions.loc[transactions[AMOUNT].notna(), [TRANSACTION, AMOUNT]]
    table = known.astype({AMOUNT: "int64"}).merge(pd.DataFrame({CREDIT_TYPE: types}), how="cross")
    sums = credited.groupby([TRANSACTION, CREDIT_TYPE])[AMOUNT].sum().rename("credited").reset_index()
    table = table.merge(sums, how="left", on=[TRANSACTION, CREDIT_TYPE]).fillna({"credited": 0})
    table["gap"] = table[AMOUNT] - table["credited"].astype("int64")
    return table[table["gap"] != 0].reset_index(drop=True).astype({"credited": "int64"})
