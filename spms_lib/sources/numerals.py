"""Numbers as people and programs write them, brought to one plain form.

Plain form: `-1234.5` or `1.2e3`, a full stop as the decimal mark and nothing to
group digits. Bringing text there is exact: no number is computed.
"""

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

NOT_A_NUMBER: Final = "not a number"
ABBREVIATED: Final = "abbreviated number"
OTHER_MARK: Final = "written with the other decimal mark"

MISSING_WORDS: Final = frozenset(
    {"", "-", "--", "–", "—", "n/a", "na", "#n/a", "null", "nan", "nat", "none", "\\n", "<na>"}
)
"""Small-letter forms of what stands for "nobody has said" in cells of numbers, dates and periods."""

CURRENCY_OF_SYMBOL: Final = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}

_SPACES = r"[\x{00A0}\x{2007}\x{2009}\x{202F}]"
_CURRENCY = r"(?:[A-Z]{0,2}[$€£¥₹₩₽₺₴₦₪฿₫]|[A-Z]{3}|kr\.?|Fr\.|zł|Kč)"
_ABBREVIATION = rf"^[^0-9]*[0-9][0-9.,' ]*(?:k|K|m|M|mm|MM|mio|Mio|mn|mln|bn|b|B|tsd|Tsd|T)\.? ?{_CURRENCY}?$"


@dataclass(frozen=True, slots=True)
class Numerals:
    """A column of numbers in plain form.

    Attributes
    ----------
    plain
        Text in plain form; missing where the cell is missing or no number.
    reasons
        Why a cell is no number; missing elsewhere.
    currency
        ISO code or symbol that stands beside the number; missing where none does.
    percent
        True where a percent sign follows.
    """

    plain: "pd.Series[Any]"
    reasons: "pd.Series[Any]"
    currency: "pd.Series[Any]"
    percent: "pd.Series[bool]"


def is_missing(text: "pd.Series[Any]") -> "pd.Series[bool]":
    """Tell which cells of numbers, dates or periods say nothing.

    Examples
    --------
    >>> is_missing(pd.Series(["-", "n/a", "0", None])).tolist()
    [True, True, False, True]
    """
    return text.isna() | text.str.strip().str.lower().isin(MISSING_WORDS)


def read_numerals(text: "pd.Series[Any]", *, decimal: str = ".") -> Numerals:
    """Bring a column of numbers to plain form.

    Understood beside plain numbers: digits in groups of three (comma, full stop,
    apostrophe, space; also 12,34,567), a currency before or behind, minus before or
    behind, parentheses for negative, a percent sign, `1.2e3`.

    Parameters
    ----------
    decimal
        Decimal mark of the column, `.` or `,`.

    Examples
    --------
    >>> read_numerals(pd.Series(["$1,200", "(1,234.50)", "12 k"])).plain.tolist()
    ['1200', '-1234.50', nan]
    >>> read_numerals(pd.Series(["1.200,50 €"]), decimal=",").plain.item()
    '1200.50'
    """
    stripped = text.astype("str").str.strip()
    mark = r"\." if decimal == "." else ","
    common = stripped.str.fullmatch(rf"[+-]?[0-9]+(?:{mark}[0-9]*)?").fillna(False).astype(bool)
    plain = stripped.where(common)
    if decimal != ".":
        plain = plain.str.replace(decimal, ".")
    reasons = pd.Series(pd.NA, index=text.index, dtype="str")
    currency, percent = reasons.copy(), pd.Series(False, index=text.index)
    odd = (~common & ~is_missing(stripped)).to_numpy()
    if odd.any():
        found = _dissect(stripped[odd], decimal)
        plain[odd] = found["plain"].to_numpy()
        currency[odd] = found["currency"].to_numpy()
        percent[odd] = found["percent"].to_numpy()
        wrong = odd & plain.isna().to_numpy()
        if wrong.any():
            reasons[wrong] = _reasons(stripped[wrong], decimal).to_numpy()
    return Numerals(plain, reasons, currency, percent)


def _grammar(decimal: str) -> str:
    mark, groups = (r"\.", ",'’ ") if decimal == "." else (",", ".'’ ")
    grouped = [rf"[0-9]{{1,3}}(?:[{group}][0-9]{{3}})+" for group in groups]
    indian = r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
    whole = "|".join([*grouped, "[0-9]+", *([indian] if decimal == "." else [])])
    body = rf"(?:{whole})(?:{mark}[0-9]*)?|{mark}[0-9]+"
    return (
        rf"^(?P<sign0>[-+]?) ?(?P<currency0>{_CURRENCY}?) ?(?P<open>\(?) ?(?P<sign1>[-+]?) ?"
        rf"(?P<currency1>{_CURRENCY}?) ?(?P<sign2>[-+]?)(?P<body>{body})(?P<power>(?:[eE][-+]?[0-9]{{1,3}})?)"
        rf" ?(?P<sign3>-?) ?(?P<currency2>{_CURRENCY}?) ?(?P<close>\)?) ?(?P<currency3>{_CURRENCY}?)"
        r"(?P<sign4>-?) ?(?P<percent>%?)$"
    )


def _dissect(text: "pd.Series[Any]", decimal: str) -> pd.DataFrame:
    """Cut each number into sign, currency, digits; plain is missing where it is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tidy = pc.replace_substring_regex(pa.array(text, type=pa.string()), _SPACES, " ")
    tidy = pc.replace_substring(tidy, "−", "-")
    parts = pc.extract_regex(tidy, _grammar(decimal))

    def part(name: str) -> "pd.Series[Any]":
        return pd.Series(pc.struct_field(parts, name).to_pandas(), dtype="str")

    def several(name: str, count: int) -> "pd.Series[Any]":
        found = part(f"{name}0")
        for number in range(1, count):
            found = found + part(f"{name}{number}")
        return found

    sign, currency = several("sign", 5), several("currency", 4)
    opened, closed = part("open") == "(", part("close") == ")"
    fits = (sign.str.len() + opened <= 1) & (opened == closed) & _one_currency(currency)
    digits = part("body").str.replace("[^0-9" + decimal + "]", "", regex=True).str.replace(decimal, ".")
    minus = (opened | (sign == "-")).map({True: "-", False: ""}).astype("str")
    return pd.DataFrame(
        {
            "plain": (minus + digits + part("power")).where(fits),
            "currency": currency.replace(CURRENCY_OF_SYMBOL).where(fits & (currency != "")),
            "percent": (part("percent") == "%") & fits,
        }
    )


def _one_currency(marks: "pd.Series[Any]") -> "pd.Series[bool]":
    return marks.str.fullmatch(f"(?:{_CURRENCY})?").fillna(False).astype(bool)


def _reasons(text: "pd.Series[Any]", decimal: str) -> "pd.Series[Any]":
    """Say why some texts are no numbers."""
    reasons = pd.Series(NOT_A_NUMBER, index=text.index, dtype="str")
    reasons[text.str.contains(_ABBREVIATION, regex=True)] = ABBREVIATED
    reasons[_dissect(text, "," if decimal == "." else ".")["plain"].notna().to_numpy()] = OTHER_MARK
    return reasons
