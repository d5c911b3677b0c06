"""Sales as single transactions: the larger part from deals, the rest run-rate, and a few returns."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from spms_lib.sample.company import Company
from spms_lib.sample.people import People
from spms_lib.sample.sales import PRODUCTS, Sales
from spms_lib.sample.timeline import (
    HISTORY,
    MONTHS,
    Bools,
    Days,
    Floats,
    Ints,
    day_texts,
    last_day,
    money_texts,
    text_frame,
)
from spms_lib.sample.words import account

DEAL_RATIO: Final = 0.70  # of a product's sales in a month that has deals
SERVICE_DEAL_RATIO: Final = 0.7  # months in which services sell by a deal too
LOST_DEALS: Final = 1.2  # a seat and month
RETURN_RATIO: Final = 0.03  # run-rate rows that are followed by a return
UNIT_CENTS: Final = (1_850_00, 640_00)  # price of a piece, by product
COST_CENTS: Final = (1_110_00, 290_00)  # cost of a piece, by product


@dataclass(frozen=True, slots=True)
class Deals:
    """Deals that end won or lost, all arrays of one length.

    Attributes
    ----------
    month
        Position of the month in which the deal ends, at `close` precisely.
    cents
        Amount at the end; won amounts are part of the month's sales.
    """

    seat: Ints
    month: Ints
    product: Ints
    cents: Ints
    account: Ints
    created: Days
    close: Days
    won: Bools


@dataclass(frozen=True, slots=True)
class Orders:
    """Transactions, all arrays of one length, in the order of their dates."""

    seat: Ints
    month: Ints
    product: Ints
    cents: Ints
    account: Ints
    date: Days


def first_accounts(sales: Sales) -> Ints:
    """Give every seat its customers: those of seat i run from element i to just before element i + 1."""
    size = np.clip(np.rint(8 * (sales.potential / sales.potential.mean()) ** 0.7), 3, 25)
    return np.concatenate([[0], np.cumsum(size)]).astype("int64")


def make_deals(rng: np.random.Generator, company: Company, staff: People, sales: Sales) -> Deals:
    """Split the larger part of every staffed month's sales into won deals, and add lost ones."""
    won = _won(rng, staff, sales)
    lost = _lost(rng, staff, sales)
    seat, month, product, cents = (np.concatenate(pair) for pair in zip(won, lost, strict=True))
    accounts = first_accounts(sales)
    close = _days(rng, month)
    opened = MONTHS[company.opened[seat]].astype("datetime64[D]")
    opened[company.opened[seat] == 0] -= np.timedelta64(365, "D")
    age = np.clip(rng.gamma(2.5, 22.0, size=len(seat)), 5, 180).astype("timedelta64[D]")
    return Deals(
        seat=seat,
        month=month,
        product=product,
        cents=cents,
        account=rng.integers(accounts[seat], accounts[seat + 1]),
        created=np.maximum(close - age, opened),
        close=close,
        won=np.arange(len(seat)) < len(won[0]),
    )


def _won(rng: np.random.Generator, staff: People, sales: Sales) -> tuple[Ints, Ints, Ints, Ints]:
    counts = np.stack(
        [
            1 + rng.poisson(0.35, size=staff.occupant.shape),
            (rng.random(staff.occupant.shape) < SERVICE_DEAL_RATIO).astype("int64"),
        ]
    )
    counts[:, staff.occupant < 0] = 0
    product, seat, month = (
        np.repeat(axis, counts.ravel()) for axis in np.indices(counts.shape).reshape(3, -1)
    )
    group = np.repeat(np.arange(counts.size), counts.ravel())
    size: Floats = rng.gamma(4.0, size=len(group))
    part = size / np.bincount(group, weights=size, minlength=counts.size)[group]
    share = np.clip(rng.normal(DEAL_RATIO, 0.06, size=counts.size), 0.55, 0.85)[group]
    cents = np.floor(sales.realised.ravel()[group] * share * part).astype("int64")
    return seat[cents > 0], month[cents > 0], product[cents > 0], cents[cents > 0]


def _lost(rng: np.random.Generator, staff: People, sales: Sales) -> tuple[Ints, Ints, Ints, Ints]:
    counts = rng.poisson(LOST_DEALS * np.where(staff.occupant < 0, 0.0, staff.productivity))
    seat, month = (np.repeat(axis, counts.ravel()) for axis in np.indices(counts.shape).reshape(2, -1))
    product = (rng.random(len(seat)) < 0.3).astype("int64")
    size = (
        sales.expected[seat, month]
        * np.where(product == 0, 0.36, 0.2)
        * rng.lognormal(0.0, 0.5, size=len(seat))
    )
    return seat, month, product, np.maximum(np.rint(size / 10000), 1).astype("int64") * 10000


def make_orders(rng: np.random.Generator, sales: Sales, deals: Deals) -> Orders:
    """Book won deals, the run-rate that completes each month's sales, and returns within it.

    The transactions of a seat, month and product sum to `sales.realised` to the cent.
    """
    sold = np.flatnonzero(deals.won & (deals.month < HISTORY))
    rest = sales.realised.copy()
    np.subtract.at(rest, (deals.product[sold], deals.seat[sold], deals.month[sold]), deals.cents[sold])
    product, seat, month = np.nonzero(rest[:, :, :HISTORY])
    cents, date = rest[product, seat, month], _days(rng, month)
    accounts = first_accounts(sales)
    customer = rng.integers(accounts[seat], accounts[seat + 1])
    back = np.flatnonzero(rng.random(len(cents)) < RETURN_RATIO)
    returned = np.rint(cents[back] * rng.uniform(0.05, 0.4, size=len(back))).astype("int64")
    cents[back] += returned
    run_rate = (seat, month, product, cents, customer, date)
    month_end = last_day(MONTHS[month[back]])
    returns_on = np.minimum(
        date[back] + rng.integers(1, 10, size=len(back)).astype("timedelta64[D]"), month_end
    )
    returns = (seat[back], month[back], product[back], -returned, customer[back], returns_on)
    booked = tuple(
        values[sold]
        for values in (deals.seat, deals.month, deals.product, deals.cents, deals.account, deals.close)
    )
    columns = [np.concatenate(parts) for parts in zip(booked, run_rate, returns, strict=True)]
    kept = np.flatnonzero(columns[3])
    order = kept[np.lexsort((columns[3][kept], columns[2][kept], columns[0][kept], columns[5][kept]))]
    return Orders(*(column[order] for column in columns))


def _days(rng: np.random.Generator, month: Ints) -> Days:
    """Choose working days, more of them towards the end of the month."""
    first = MONTHS[month].astype("datetime64[D]")
    length = (last_day(MONTHS[month]) - first).astype("int64") + 1
    day = np.floor(rng.beta(1.5, 1.0, size=len(month)) * length).astype("timedelta64[D]")
    chosen: Days = np.busday_offset(first + day, 0, roll="modifiedpreceding")
    return chosen


def transactions(company: Company, orders: Orders) -> pd.DataFrame:
    """List the transactions up to the present."""
    pieces = np.maximum(np.rint(np.abs(orders.cents) / np.array(UNIT_CENTS)[orders.product]), 1)
    pieces = np.copysign(pieces, orders.cents).astype("int64")
    return text_frame(
        transaction=[f"T{number:06d}" for number in range(1, len(orders.seat) + 1)],
        node=[company.seats[seat] for seat in orders.seat.tolist()],
        date=day_texts(orders.date),
        value=money_texts(orders.cents),
        product=[PRODUCTS[product] for product in orders.product.tolist()],
        account=[account(number) for number in orders.account.tolist()],
        quantity=[str(number) for number in pieces.tolist()],
        cost=money_texts(pieces * np.array(COST_CENTS)[orders.product]),
    )
