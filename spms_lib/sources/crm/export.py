"""How one CRM writes its opportunities, read from the YAML file of its name beside this module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from spms_lib.errors import SourceError

CRMS: Final = ("salesforce", "hubspot", "dynamics")

Headers = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Export:
    """Headers and words of one CRM; of several headers, the first that an export has is read.

    Attributes
    ----------
    columns
        Our column to its headers.
    when_won, when_closed
        Our column to the headers that hold its value once the deal is won, or closed at all.
    flags
        `won`, `lost` and `closed` to headers whose cells are true or false.
    percent
        Our columns in which a bare 60 is 60 %.
    converted
        Headers of amounts that are in one currency already.
    currency
        Headers of the currency of each amount.
    words
        Our column to what its words are called here.
    """

    columns: Headers
    when_won: Headers = field(default_factory=dict)
    when_closed: Headers = field(default_factory=dict)
    flags: Headers = field(default_factory=dict)
    percent: tuple[str, ...] = ()
    converted: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@cache
def crm_export(name: str) -> Export:
    """Look up how a CRM writes its opportunities.

    Raises
    ------
    SourceError
        If nothing is known of it.

    Examples
    --------
    >>> crm_export("salesforce").columns["stage"]
    ('StageName', 'Stage')
    """
    import yaml

    if name not in CRMS:
        raise SourceError(
            f"Nothing is known of the exports of '{name}'.",
            remedy=f"Known: {', '.join(CRMS)}. Map any other system by `columns` and `words`.",
        )
    said = yaml.safe_load(files("spms_lib.sources.crm").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    return Export(**{part: _frozen(value) for part, value in said.items()})


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    return tuple(value) if isinstance(value, list) else value
