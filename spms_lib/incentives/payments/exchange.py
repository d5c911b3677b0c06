"""Amounts of one currency in another: the rate of the day, exact, and kept beside the result."""

from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.errors import MoneyError
from spms_lib.incentives.engine.exact import Ints, rounded
from spms_lib.incentives.payments.entries import checked_amounts
from spms_lib.incentives.plan.model import HALF_UP
from spms_lib.money import minor_per_unit
from spms_lib.tables import need

RATE_SCALE: Final = 10**8


def convert(
    amounts: pd.DataFrame, rates: pd.DataFrame, *, on: str, to: str, half: str = HALF_UP
) -> pd.DataFrame:
    """Convert amounts by the exchange rate of their day, rounding once, and keep the rate that was used.

    Parameters
    ----------
    amounts
        Columns amount (int64 minor units), currency, and the day named by `on` (datetime).
    rates
        Columns currency, valid_from (datetime), rate: units of `to` for one unit of currency, with
        up to 8 decimals (text or Decimal keep them exactly). A rate holds until the next one.
    on
        Column of `amounts` with the day whose rate counts.
    half
        `half_up` or `half_even`.

    Returns
    -------
    pd.DataFrame
        A copy of `amounts` with converted (int64 minor units of `to`), rate (text, 8 decimals) and
        rate_from (day from which that rate held; missing where the currency already is `to`).

    Raises
    ------
    MoneyError
        If a currency has no rate on a day, two on one day, or one that is no positive number of
        8 decimals.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-02-03"])
    >>> amounts = pd.DataFrame({"amount": [10000], "currency": ["USD"], "date": day})
    >>> rates = pd.DataFrame({"currency": ["USD"], "valid_from": pd.to_datetime(["2026-02-01"]), "rate": ["0.92345678"]})
    >>> convert(amounts, rates, on="date", to="EUR")[["converted", "rate"]].values.tolist()
    [[9235, '0.92345678']]
    """
    need(amounts, ["amount", "currency", on], "amounts")
    need(rates, ["currency", "valid_from", "rate"], "exchange rates")
    values = checked_amounts(amounts, "amount", "amounts")
    row = _row_of_the_day(amounts["currency"], amounts[on], rates, to)
    scaled = np.append(_scaled(rates), RATE_SCALE)
    per_unit = amounts["currency"].map({code: minor_per_unit(code) for code in amounts["currency"].unique()})
    target = minor_per_unit(to)
    out = amounts.copy()
    out["converted"] = rounded(
        lambda a, rate, unit: ([a * rate * target], unit * RATE_SCALE),
        [values, scaled[row], per_unit.to_numpy(dtype=np.int64)],
        half=half,
    )
    texts = np.array([f"{Decimal(int(rate)).scaleb(-8):.8f}" for rate in scaled], dtype=object)
    out["rate"] = texts[row]
    since = pd.concat(
        [rates["valid_from"], pd.Series([pd.NaT], dtype=rates["valid_from"].dtype)], ignore_index=True
    )
    out["rate_from"] = since.to_numpy()[row]
    return out


def _row_of_the_day(currency: pd.Series, day: pd.Series, rates: pd.DataFrame, to: str) -> Ints:
    """Find the number of the row of `rates` that holds for each amount; `len(rates)` for one that needs none."""
    twice = rates.duplicated(["currency", "valid_from"])
    if twice.any():
        again = rates[twice].iloc[0]
        raise MoneyError(
            f"{again['currency']} has two rates from {again['valid_from']:%Y-%m-%d}.",
            where="exchange rates",
            remedy="Keep one of them.",
        )
    asked = pd.DataFrame(
        {"currency": currency.astype(object).to_numpy(), "day": day.to_numpy(), "place": range(len(day))}
    )
    known = pd.DataFrame(
        {"currency": rates["currency"].astype(object).to_numpy(), "day": rates["valid_from"].to_numpy()}
    )
    known["row"] = np.arange(len(rates))
    known["day"] = known["day"].astype(asked["day"].dtype)
    foreign = asked[asked["currency"] != to]
    dated = foreign.dropna(subset="day").sort_values("day", kind="stable")
    met = pd.merge_asof(dated, known.sort_values("day", kind="stable"), on="day", by="currency")
    row: Ints = np.full(len(asked), len(rates), dtype=np.int64)
    row[foreign["place"].to_numpy()] = -1
    row[met["place"].to_numpy()] = met["row"].fillna(-1).to_numpy(dtype=np.int64)
    if (row < 0).any():
        first = asked[row < 0].iloc[0]
        when = "an unknown day" if pd.isna(first["day"]) else f"{first['day']:%Y-%m-%d}"
        raise MoneyError(
            f"There is no rate of {first['currency']} to {to} on {when}.",
            where="exchange rates",
            remedy="Add one that is valid from that day or before.",
        )
    return row


def _scaled(rates: pd.DataFrame) -> Ints:
    """Read rates as whole hundred-millionths."""
    found = []
    for currency, rate in zip(rates["currency"], rates["rate"], strict=True):
        try:
            scaled = Decimal(str(rate)).scaleb(8)
            whole = scaled.is_finite() and scaled > 0 and scaled == scaled.to_integral_value()
        except InvalidOperation:
            whole = False
        if not whole:
            raise MoneyError(
                f"The rate {rate} of {currency} is not a positive number of up to 8 decimals.",
                where="exchange rates",
                remedy="Write it as 0.92345678.",
            )
        found.append(int(scaled))
    return np.array(found, dtype=np.int64)
