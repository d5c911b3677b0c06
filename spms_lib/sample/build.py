"""Write a sample company as the raw exports of its systems would look."""

from pathlib import Path

import numpy as np
import pandas as pd

from spms_lib.sample import dirt
from spms_lib.sample.calls import later_calls
from spms_lib.sample.company import make_company
from spms_lib.sample.effects import decisions
from spms_lib.sample.field import Field, Habit, make_habits
from spms_lib.sample.first_call import first_calls
from spms_lib.sample.managers import make_managers, overrides, truth_of_managers
from spms_lib.sample.notes import drivers, notes
from spms_lib.sample.orders import Deals, make_deals, make_orders, transactions
from spms_lib.sample.past_targets import targets
from spms_lib.sample.people import hierarchy, make_people, roster
from spms_lib.sample.pipeline import opportunities
from spms_lib.sample.rounds import Round, submission_rows
from spms_lib.sample.sales import Sales, make_sales
from spms_lib.sample.timeline import HISTORY, Ints, month_texts, text_frame


def build_sample(
    folder: Path, *, seed: int = 7, sellers: int = 80, truth_folder: Path | None = None
) -> dict[str, int]:
    """Write the files of Nordlicht Devices, a company that does not exist.

    Amounts are in EUR, the fiscal year is the calendar year. History runs from
    2023-07 to 2026-09; the planning cycle it is made for is 2026Q3. Every file is
    the same, byte for byte, whenever the seed and the number of sellers are.

    Parameters
    ----------
    folder
        Where the exports go, with the columns of the data dictionary; made if missing.
        Files of earlier samples there are overwritten.
    seed
        Another seed gives another company.
    sellers
        Seats at present, 12 or more. Fewer seats make smaller files.
    truth_folder
        Where the truth goes, which only tests and benchmarks may read: how the forecasts and
        ranges of each seat are bent (`truth_sellers.csv`), what sales were to be expected
        (`truth_expected.csv`), how managers override (`truth_managers.csv`). A folder `truth`
        beside `folder` if not given.

    Returns
    -------
    dict[str, int]
        Rows of each file by its name, without the header, bad rows included
        (see `spms_lib.sample.DIRT`).

    Raises
    ------
    ParamsError
        If there are too few sellers for four regions.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     rows = build_sample(Path(place) / "data", sellers=12)
    >>> rows["decisions.csv"], rows["drivers.csv"]
    (8, 36)
    """
    chance = _streams(seed)
    field, deals = _lived(chance, sellers)
    company, staff, sales, orders, habit = field.company, field.staff, field.sales, field.orders, field.habit
    first = first_calls(chance[8], field)
    later = later_calls(chance[12], field, first)
    managers = make_managers(chance[14], field)
    exports = {
        "hierarchy.csv": hierarchy(company, staff),
        "transactions.csv": dirt.soil_transactions(chance[6], transactions(company, orders)),
        "targets.csv": targets(chance[7], company, sales),
        "submissions.csv": _submissions(chance[6], field, first, later),
        "overrides.csv": overrides(chance[14], field, managers, first),
        "opportunities.csv": opportunities(chance[9], chance[15], field, deals),
        "roster.csv": roster(company, staff),
        "drivers.csv": drivers(chance[10], company, staff, sales.potential),
        "notes.csv": notes(chance[11], company, staff),
        "decisions.csv": decisions(company, staff, sales),
    }
    truth = {
        "truth_sellers.csv": _truth_of_sellers(company.seats, habit, sales),
        "truth_expected.csv": _truth_of_sales(company.seats, company.opened, sales),
        "truth_managers.csv": truth_of_managers(managers),
    }
    _write(exports, folder)
    _write(truth, folder.parent / "truth" if truth_folder is None else truth_folder)
    return {name: len(frame) for name, frame in {**exports, **truth}.items()}


def make_world(*, seed: int = 7, sellers: int = 80) -> Field:
    """Live through the sample company's time without writing anything: people, sales, orders, habits.

    The same seed and number of sellers give the company of `build_sample`. Only benchmarks may
    look at it: it knows what nobody in the company does.
    """
    return _lived(_streams(seed), sellers)[0]


def _streams(seed: int) -> list[np.random.Generator]:
    """One stream of chance per subject, so that a change in one leaves the others alone."""
    return [np.random.default_rng([seed, subject]) for subject in range(16)]


def _lived(chance: list[np.random.Generator], sellers: int) -> tuple[Field, Deals]:
    company = make_company(chance[0], sellers)
    staff = make_people(chance[1], company)
    sales = make_sales(chance[2], company, staff)
    deals = make_deals(chance[3], company, staff, sales)
    orders = make_orders(chance[4], sales, deals)
    return Field(company, staff, sales, orders, make_habits(chance[5], chance[13], sellers)), deals


def _submissions(
    rng: np.random.Generator, field: Field, first: list[Round], later: list[Round]
) -> pd.DataFrame:
    """List what was sent, oldest first; the bad rows stand among those of the first calls."""
    early, late = (
        pd.concat([submission_rows(field, sent) for sent in rounds], ignore_index=True).sort_values(
            "submitted_at", kind="stable", ignore_index=True
        )
        for rounds in (first, later)
    )
    sent = pd.concat([dirt.soil_submissions(rng, early), late], ignore_index=True)
    return sent.sort_values("submitted_at", kind="stable", ignore_index=True)


def _truth_of_sellers(seats: list[str], habit: Habit, sales: Sales) -> pd.DataFrame:
    """State how each seat's forecasts are bent and scattered, how wide its ranges are, and how its sales scatter.

    The scale of a range is 1 where it is as wide as it must be, bias aside, and missing where none is given.
    """
    scales = zip(habit.range_scale.tolist(), habit.gives_range.tolist(), strict=True)
    return text_frame(
        node=seats,
        person_type=habit.person_type,
        bias_ratio=[f"{value:.6f}" for value in habit.bias_ratio.tolist()],
        noise_sigma=[f"{value:.6f}" for value in habit.noise_sigma.tolist()],
        sales_sigma=[f"{value:.6f}" for value in sales.sigma.tolist()],
        range_scale=[f"{scale:.6f}" if given else "" for scale, given in scales],
    )


def _truth_of_sales(seats: list[str], opened: Ints, sales: Sales) -> pd.DataFrame:
    """State expected sales in EUR before market and luck, and the ratio by which the market moved them."""
    months = month_texts()
    cells = [(seat, month) for seat in range(len(seats)) for month in range(int(opened[seat]), HISTORY)]
    return text_frame(
        node=[seats[seat] for seat, _ in cells],
        period=[months[month] for _, month in cells],
        expected_value=[f"{sales.expected[cell] / 100:.2f}" for cell in cells],
        market_ratio=[f"{sales.market_ratio[cell]:.6f}" for cell in cells],
    )


def _write(frames: dict[str, pd.DataFrame], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_csv(folder / name, index=False, encoding="utf-8", lineterminator="\n")
