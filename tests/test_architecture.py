"""The house has floors: imports point down, and the domain knows no file, database, clock or chance."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "spms_lib"

DOMAIN = {"goals", "collect", "reconcile", "incentives", "review"}
FLOORS = (  # from the ground up; a module may import from floors below its own, and from its own package
    {"errors", "findings", "text"},
    {"tables", "calendar", "money", "csv_out"},
    {"hierarchy"},
    {"projection", "commitments", "deals"},
    DOMAIN,
    {"params", "store", "sources", "report"},
    {"forms"},
    {"cycle", "sample"},
    {"batch", "widgets"},
    {"cli"},
    {"__main__"},
)
FLOOR_OF = {part: number for number, floor in enumerate(FLOORS, start=1) for part in floor}
PURE = DOMAIN | {"calendar", "money", "hierarchy", "projection", "commitments", "deals"}

OUTSIDE_WORLD = {
    *(
        "pathlib",
        "os",
        "io",
        "glob",
        "shutil",
        "tempfile",
        "fileinput",
        "importlib",
        "urllib",
        "socket",
    ),  # files
    *("sqlite3", "sqlalchemy", "duckdb", "psycopg"),  # databases
    *("time", "random", "secrets", "uuid"),  # clock and chance
    *("subprocess", "multiprocessing", "logging", "matplotlib", "IPython", "ipywidgets"),
}
CLOCK_CALLS = {"now", "today", "utcnow"}
FILE_CALLS = re.compile(r"read_\w+|to_(csv|parquet|excel|sql|pickle|feather|hdf)|(read|write)_(text|bytes)")
SEEDED = {"default_rng", "Generator", "SeedSequence"}  # allowed where the seed is handed in


def part_of(module: str) -> str:
    """`spms_lib.goals.cascade` belongs to the part `goals`; the package itself to no part."""
    return [*module.split("."), ""][1]


def imported_modules(source: str, module: str) -> set[str]:
    """Every module that a source text imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names} if base == PACKAGE else {base}
    return found


def upward_imports(source: str, module: str) -> list[str]:
    """Imports of a module that do not point down, in words."""
    part, wrong = part_of(module), []
    for name in sorted(imported_modules(source, module)):
        other = part_of(name)
        if name.split(".")[0] != PACKAGE or other in {part, "__version__"}:
            continue
        if part not in FLOOR_OF or other not in FLOOR_OF:
            wrong.append(
                f"{module} imports {name}: '{part}' or '{other}' has no floor; give it one in FLOORS"
            )
        elif FLOOR_OF[other] >= FLOOR_OF[part]:
            wrong.append(f"{module} (floor {FLOOR_OF[part]}) imports {name} (floor {FLOOR_OF[other]})")
    return wrong


def worldly_words(source: str, module: str) -> list[str]:
    """Places where a source text touches files, databases, the clock or unseeded chance."""
    wrong = [
        f"{module} imports {name}"
        for name in sorted(imported_modules(source, module))
        if name.split(".")[0] in OUTSIDE_WORLD or name.startswith("numpy.random")
    ]
    return wrong + [f"{module}:{line} uses {word}" for line, word in _worldly_expressions(ast.parse(source))]


def _worldly_expressions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "numpy.random"}:
            if node.attr not in SEEDED:
                yield node.lineno, f"np.random.{node.attr}"
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            if name in CLOCK_CALLS or name == "open" or FILE_CALLS.fullmatch(name):
                yield node.lineno, f"{name}()"
            elif name == "default_rng" and not (node.args or node.keywords):
                yield node.lineno, "default_rng() without a seed"


def modules() -> dict[str, Path]:
    """Dotted name, `__init__` included, and file of every module of the package."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return {".".join(f.relative_to(ROOT).with_suffix("").parts): f for f in files}


def printed_name(path: Path) -> str:
    """How ARCHITECTURE.md names a module: `goals/cascade.py`, and `goals/` for a package."""
    return path.relative_to(ROOT / PACKAGE).as_posix().removesuffix("__init__.py")


def undescribed(names: set[str], page: str) -> tuple[set[str], set[str]]:
    """Modules without a described line of their own on the page, and names on it that do not exist.

    A described line holds the module's name in backticks and at least three more words.
    """
    told = {
        name
        for line in page.splitlines()
        for name in re.findall(r"`(?:spms_lib/)?([\w/]*(?:\.py|/))`", line)
        if len(re.findall(r"[A-Za-z]{2,}", re.sub(r"`[^`]*`", "", line))) >= 3
    }
    elsewhere = {path.name for path in ROOT.iterdir() if path.is_dir()} | {""}
    return names - told, {name for name in told - names if name.split("/")[0] not in elsewhere}


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module: str) -> None:
    assert upward_imports(_read(module), module) == []


@pytest.mark.parametrize("module", [m for m in modules() if part_of(m) in PURE])
def test_the_domain_knows_no_file_database_clock_or_chance(module: str) -> None:
    assert worldly_words(_read(module), module) == []


def _read(module: str) -> str:
    return modules()[module].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("spms_lib.goals.made_up", "from spms_lib.review import pace"),  # a neighbour in the domain
        ("spms_lib.goals.made_up", "from spms_lib.store.ledger import Ledger"),  # one floor up
        ("spms_lib.money", "def f():\n    import spms_lib.tables"),  # sideways, inside a function
        ("spms_lib.goals.made_up", "from spms_lib import cli"),
        ("spms_lib.goals.made_up", "from ..review import pace"),  # a relative import
        ("spms_lib.goals.made_up", "import spms_lib.nowhere"),  # a part without a floor
    ],
)
def test_an_import_that_does_not_point_down_is_caught(module: str, source: str) -> None:
    assert len(upward_imports(source, module)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from spms_lib.errors import SpmsError",
        "from spms_lib.goals.cascade import cascade",
        "from .cascade import cascade",
        "import numpy as np",
    ],
)
def test_an_import_that_points_down_or_stays_in_its_package_passes(source: str) -> None:
    assert upward_imports(source, "spms_lib.goals.made_up") == []


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    from pathlib import Path",
        "import os.path",
        "import sqlalchemy as sa",
        "import random",
        "from numpy.random import normal",
        "x = np.random.normal(3)",
        "rng = np.random.default_rng()",
        "day = dt.date.today()",
        "moment = pd.Timestamp.now()",
        "frame = pd.read_csv('targets.csv')",
        "text = open('targets.csv')",
        "frame.to_parquet('targets.parquet')",
    ],
)
def test_a_step_into_the_outside_world_is_caught(source: str) -> None:
    assert len(worldly_words(source, "spms_lib.goals.made_up")) == 1


@pytest.mark.parametrize(
    "source", ["rng = np.random.default_rng(seed)", "import datetime as dt", "frame.to_numpy()"]
)
def test_a_seed_that_is_handed_in_and_a_plain_date_pass(source: str) -> None:
    assert worldly_words(source, "spms_lib.goals.made_up") == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, spms_lib; print(*sorted({'pandas', 'numpy', 'matplotlib', 'papermill'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_map_describes_every_module_and_no_other() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    missing, made_up = undescribed({printed_name(path) for path in modules().values()} - {""}, page)
    assert (missing, made_up) == (set(), set())
    listed = re.findall(r"^- `([^`]+)`", page, re.MULTILINE)
    assert [name for name in set(listed) if listed.count(name) > 1] == [], "described twice"


def test_a_module_that_the_map_forgets_or_only_names_is_caught() -> None:
    page = "- `goals/cascade.py` splits a target over the tree\n- `goals/drivers.py`\n- `goals/ghost.py` is long gone now"
    assert undescribed({"goals/cascade.py", "goals/drivers.py", "money.py"}, page) == (
        {"goals/drivers.py", "money.py"},
        {"goals/ghost.py"},
    )
