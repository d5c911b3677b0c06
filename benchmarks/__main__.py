"""Run the measurements named on the command line, or all: `python -m benchmarks [cascade] [reconcile] ...`."""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Row

STUDIES = ("approach", "calibration")  # take minutes, and run only when they are named
NAMES = (
    "hierarchy",
    "cascade",
    "reconcile",
    "edits",
    "memory",
    "baselines",
    "collect",
    "pipeline",
    "pay",
    "monte_carlo",
)
PACKAGES = (
    *("spms-lib", "numpy", "pandas", "scipy", "numba"),
    *("b2b-revenue-forecasting", "hierarchicalforecast", "piqp", "clarabel"),
)
RESULTS = Path("outputs/bench.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"any of {', '.join([*NAMES, *STUDIES])}; without one, all but {', '.join(STUDIES)}",
    )
    names = parser.parse_args().names or list(NAMES)
    if unknown := set(names) - {*NAMES, *STUDIES}:
        parser.error(
            f"no benchmark named {', '.join(sorted(unknown))}; known: {', '.join([*NAMES, *STUDIES])}"
        )

    console = Console(width=None if sys.stdout.isatty() else 160)
    versions = {package: version(package) for package in PACKAGES}
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    console.print(machine + ", " + ", ".join(f"{package} {found}" for package, found in versions.items()))
    results: dict[str, list[Row]] = {}
    for name in names:
        run: Callable[[], list[Row]] = import_module(f"benchmarks.{name}").rows
        with console.status(f"measuring {name} ..."):
            results[name] = run()
        for case in dict.fromkeys(row.case for row in results[name]):
            console.print(table(f"{name}: {case}", [row for row in results[name] if row.case == case]))
    RESULTS.parent.mkdir(exist_ok=True)
    kept: dict[str, object] = {"machine": machine, "versions": versions}
    kept |= {name: [asdict(row) for row in rows] for name, rows in results.items()}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    console.print(
        f"Written to {RESULTS}. Medians of wall time in one run; a shared machine is good to about 30 %."
    )


def table(title: str, rows: list[Row]) -> Table:
    printed = Table(title=title, title_justify="left")
    for heading in ("measured", "milliseconds", "calls", "ratio", "against", "note"):
        printed.add_column(
            heading, justify="right" if heading in {"milliseconds", "calls", "ratio"} else "left"
        )
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:,.3g}" if row.ratio < 1000 else f"{row.ratio:,.0f}"
        printed.add_row(row.what, f"{row.seconds * 1000:,.2f}", str(row.repeat), ratio, row.against, row.note)
    return printed


if __name__ == "__main__":
    main()
