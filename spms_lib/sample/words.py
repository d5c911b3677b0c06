"""Invented names of people and customers."""

from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES: Final = _words(
    "Agnes Albin Alma Anselm Aoife Beatriz Bjarne Bruna Caspar Ciara Clara Dario Edda Eskil Fabia Finn "
    "Frieda Gaia Greta Henrik Ida Ines Jarle Jonas Karla Kilian Lena Livio Luca Maeve Malin Marta Mats "
    "Nerea Niklas Nora Oona Oskar Paula Piet Rafael Ronja Rosa Runa Signe Søren Tadeo Tilda Tomás Ulla "
    "Vera Viggo Wanda Xenia Yara Zeno"
)
LAST_NAMES: Final = _words(
    "Ahrendal Almqvar Bergholz Birkenau Brannock Calderwyn Casavero Dahlbrook Dornfeld Eichgrund "
    "Elverby Falkholt Fennimar Garvagh Grauwald Hallstrup Hedevang Hohlbach Ilmenfels Jarnvik "
    "Kaltwasser Kirkmoor Lachental Lindqvar Lormaz Marwick Montaluz Norrhult Oakhollow Ostergren "
    "Palmeiro Quellhorst Ravendale Riverolo Rosenlund Santerra Sorvik Steinacker Tannhof Torvald "
    "Uferland Valmora Vesterlo Wachendorf Wexcombe Zellinger"
)
ACCOUNT_NAMES: Final = _words(
    "Talvik Auren Belmar Corvo Dunmar Elstra Fjelda Gransol Hovra Ilvane Kestrin Lumaro"
)
ACCOUNT_TRADES: Final = _words("Foods Marine Clinics Textiles Tools Freight Paper Energy Optics Farms Glass")


def people(rng: np.random.Generator) -> Iterator[str]:
    """Hand out names, none of them twice; a company of thousands gets a number behind them."""
    order = rng.permutation(len(FIRST_NAMES) * len(LAST_NAMES)).tolist()
    for turn in count(1):
        for number in order:
            name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number // len(FIRST_NAMES)]}"
            yield name if turn == 1 else f"{name} {turn}"


def account(number: int) -> str:
    """Name one customer by its number.

    Examples
    --------
    >>> account(13)
    'Auren Clinics 0013'
    """
    name = ACCOUNT_NAMES[number % len(ACCOUNT_NAMES)]
    return f"{name} {ACCOUNT_TRADES[number % len(ACCOUNT_TRADES)]} {number:04d}"
