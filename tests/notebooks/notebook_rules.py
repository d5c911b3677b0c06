"""Rules of the shipped notebooks: each takes a notebook and says in words what breaks it."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from notebook_project import Notebook, code_cells, read, written

TAGS = {"parameters", "setup", "summary", "remove-cell", "remove-input", "hide-input"}
WANTED = ("company", "cycle", "data", "interactive")
MOST_LINES = 100  # of a notebook, however the formatter folds them
MOST_LINES_A_CELL = 20  # as they stand
NOTEBOOK_METADATA, CELL_METADATA = {"kernelspec", "language_info"}, {"tags"}

PARAMETER = re.compile(r"(?P<name>[a-z_]+): (?P<type>str|int|float|bool) = (?P<value>\S.*?) +# \S.*")
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SQL = re.compile(
    r"\s*(with\b.+\bselect|select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from|create\s+table)\b",
    re.IGNORECASE | re.DOTALL,
)
ABSOLUTE = re.compile(r"(/[\w.]|~/|[A-Za-z]:[\\/]|file:)")
FOLDER_IN_PROSE = re.compile(r"(?<![\w.])(/(home|Users|root|tmp|mnt|opt|var|work)/|~/|[A-Z]:\\)")
LOGIC: dict[type[ast.AST], str] = {
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "def",
    ast.ClassDef: "class",
    ast.For: "for",
    ast.AsyncFor: "for",
    ast.While: "while",
    ast.Try: "try",
    ast.TryStar: "try",
}


def parameter_cells(notebook: Notebook) -> list[Notebook]:
    """Code cells that are tagged as the parameters."""
    return [cell for cell in code_cells(notebook) if "parameters" in cell["metadata"].get("tags", [])]


def parameters(notebook: Notebook) -> dict[str, tuple[str, str]]:
    """Type and default of each parameter, as written."""
    lines = [line for cell in parameter_cells(notebook) for line in cell["source"].splitlines()]
    found = [match for line in lines if (match := PARAMETER.fullmatch(line))]
    return {match["name"]: (match["type"], match["value"]) for match in found}


def headings(notebook: Notebook) -> list[tuple[int, int, str]]:
    """Cell, depth and text of every heading; a `#` inside a fence of code is none."""
    return [
        (number, len(marks), text)
        for number, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "markdown"
        for marks, text in HEADING.findall(FENCE.sub("", cell["source"]))
    ]


def syntax(notebook: Notebook) -> Iterator[tuple[int, ast.AST]]:
    """Every piece of syntax with the number of its code cell; nothing of a cell that is not Python."""
    for number, cell in enumerate(code_cells(notebook)):
        tree = parsed(cell)
        if tree is not None:
            yield from ((number, node) for node in ast.walk(tree))


def parsed(cell: Notebook) -> ast.Module | None:
    """Syntax of a code cell; None if it is not Python, such as a magic."""
    try:
        return ast.parse(cell["source"])
    except SyntaxError:
        return None


def calls(node: ast.AST | None, name: str) -> bool:
    """Tell whether a piece of syntax calls a function or method of this name."""
    if not isinstance(node, ast.Call):
        return False
    return name in {getattr(node.func, "id", None), getattr(node.func, "attr", None)}


def texts(notebook: Notebook) -> Iterator[tuple[int, str]]:
    """Every string in the code; what an f-string fills in is written {}."""
    inside: set[int] = set()
    for number, node in syntax(notebook):  # an f-string comes before its parts
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield number, "".join(part.value if is_text(part) else "{}" for part in node.values)
        elif is_text(node) and id(node) not in inside:
            yield number, node.value


def is_text(node: ast.AST) -> bool:
    """Tell whether a piece of syntax is a literal string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


# -- rules ---------------------------------------------------------------------------------------


def parameters_come_first(notebook: Notebook) -> list[str]:
    """One cell is tagged `parameters`, and it is the first code cell."""
    found, code = parameter_cells(notebook), code_cells(notebook)
    if len(found) != 1:
        return [f"{len(found)} cells are tagged 'parameters'"]
    return [] if code[0] is found[0] else ["a code cell stands above the parameters"]


def parameters_are_literals(notebook: Notebook) -> list[str]:
    """Each line of the parameters is `name: type = literal  # help`, with a plain type that fits."""
    broken = []
    for line in (line for cell in parameter_cells(notebook) for line in cell["source"].splitlines()):
        match = PARAMETER.fullmatch(line)
        try:
            fits = bool(match) and type(ast.literal_eval(match["value"])).__name__ == match["type"]
        except (ValueError, SyntaxError):
            fits = False
        if not fits:
            broken.append(f"not 'name: type = literal  # help': {line}")
    return broken


def wanted_parameters_are_there(notebook: Notebook) -> list[str]:
    """Every notebook can be run for any company, cycle and data folder, with or without controls."""
    return [f"no parameter '{name}'" for name in WANTED if name not in parameters(notebook)]


def title_comes_first(notebook: Notebook) -> list[str]:
    """The first cell is Markdown and starts with the only H1."""
    first = notebook["cells"][0]
    broken = []
    if first["cell_type"] != "markdown" or not first["source"].startswith("# "):
        broken.append("the first cell does not start with a title")
    if (titles := sum(depth == 1 for _, depth, _ in headings(notebook))) != 1:
        broken.append(f"{titles} headings are of the first level")
    return broken


def headings_skip_no_level(notebook: Notebook) -> list[str]:
    """A heading is at most one level deeper than the one before it, as screen readers need it."""
    depths = [0, *(depth for _, depth, _ in headings(notebook))]
    named = zip(depths, headings(notebook), strict=False)
    return [f"'{text}' skips a level" for before, (_, depth, text) in named if depth > before + 1]


def outputs_are_stripped(notebook: Notebook) -> list[str]:
    """No outputs and no execution counts are committed."""
    kept = [
        number
        for number, cell in enumerate(code_cells(notebook))
        if cell["outputs"] or cell["execution_count"] is not None
    ]
    return [f"code cell {number} was run" for number in kept]


def kernel_is_python3(notebook: Notebook) -> list[str]:
    """The kernel is the one that every Jupyter calls python3."""
    kernel = notebook["metadata"].get("kernelspec", {}).get("name", "missing")
    return [] if kernel == "python3" else [f"the kernel is {kernel}"]


def metadata_is_plain(notebook: Notebook) -> list[str]:
    """Nothing of a run, a widget or an editor is kept in the metadata."""
    strange = sorted(set(notebook["metadata"]) - NOTEBOOK_METADATA)
    in_cells = [
        f"cell {number}: {name}"
        for number, cell in enumerate(notebook["cells"])
        for name in sorted(set(cell["metadata"]) - CELL_METADATA)
    ]
    return [f"metadata '{name}'" for name in [*strange, *in_cells]]


def code_is_python(notebook: Notebook) -> list[str]:
    """No magic and no shell command, so that linters and the index of parameters can read every cell."""
    return [
        f"code cell {number} is not Python"
        for number, cell in enumerate(code_cells(notebook))
        if parsed(cell) is None
    ]


def logic_is_in_the_library(notebook: Notebook) -> list[str]:
    """A cell holds calls and comprehensions; what needs a statement of its own belongs into `spms_lib`."""
    return [
        f"code cell {number}: {LOGIC[type(node)]}" for number, node in syntax(notebook) if type(node) in LOGIC
    ]


def sql_is_in_the_params(notebook: Notebook) -> list[str]:
    """Queries stand in `params`."""
    return [f"code cell {number}: {text}" for number, text in texts(notebook) if SQL.match(text)]


def paths_are_relative(notebook: Notebook) -> list[str]:
    """No folder of somebody's machine, neither in code nor in prose."""
    prose = [
        f"cell {number}"
        for number, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "markdown" and FOLDER_IN_PROSE.search(cell["source"])
    ]
    return [
        *(f"code cell {number}: {text}" for number, text in texts(notebook) if ABSOLUTE.match(text)),
        *prose,
    ]


def imports_need_no_tricks(notebook: Notebook) -> list[str]:
    """Imports stand in the setup cell, and `sys.path` is left alone: the package is installed."""
    cells = code_cells(notebook)
    broken = []
    for number, node in syntax(notebook):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path":
            broken.append(f"code cell {number}: sys.path")
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if is_import and "setup" not in cells[number]["metadata"].get("tags", []):
            broken.append(f"code cell {number}: an import outside the setup cell")
    return broken


def code_is_short(notebook: Notebook) -> list[str]:
    """At most 100 statements in all, and 20 lines in a cell."""
    in_all = sum(isinstance(node, ast.stmt) for _, node in syntax(notebook))
    lines = [sum(map(bool, cell["source"].split("\n"))) for cell in code_cells(notebook)]
    long = [f"code cell {number}: {n} lines" for number, n in enumerate(lines) if n > MOST_LINES_A_CELL]
    return [*([f"{in_all} statements"] if in_all > MOST_LINES else []), *long]


def tags_are_known(notebook: Notebook) -> list[str]:
    """A misspelt tag would hide nothing from the report, silently."""
    return [
        f"cell {number}: tag '{tag}'"
        for number, cell in enumerate(notebook["cells"])
        for tag in cell["metadata"].get("tags", [])
        if tag not in TAGS
    ]


def last_cell_finishes(notebook: Notebook) -> list[str]:
    """The last line of code is `desk.finish(...)`, which fails the run if a check did not hold."""
    tree = parsed(code_cells(notebook)[-1])
    last = tree.body[-1] if tree is not None and tree.body else None
    ends = (
        isinstance(last, ast.Expr) and calls(last.value, "finish") and ast.unparse(last).startswith("desk.")
    )
    return [] if ends else ["the last line of code is not desk.finish(...)"]


def checks_have_a_heading(notebook: Notebook) -> list[str]:
    """A reader finds the checks under a heading of their own."""
    found = any(depth == 2 and text.startswith("Checks") for _, depth, text in headings(notebook))
    return [] if found else ["no heading '## Checks'"]


def figures_are_described(notebook: Notebook) -> list[str]:
    """Every figure is shown with a description for those who cannot see it, and by no other way."""
    broken = []
    for number, node in syntax(notebook):
        if calls(node, "display_figure"):
            said = node.args[1] if len(node.args) == 2 else None
            if said is None or (isinstance(said, ast.Constant) and not str(said.value).strip()):
                broken.append(f"code cell {number}: a figure without a description")
        named = {
            getattr(node, "module", None),
            *(alias.name for alias in getattr(node, "names", []) if alias),
        }
        if any(str(name).split(".")[0] in {"matplotlib", "pylab"} for name in named):
            broken.append(f"code cell {number}: draws by itself")
    return broken


def ids_are_unique(notebook: Notebook) -> list[str]:
    """Every cell has an id of its own, by which versions are compared."""
    counts = Counter(cell.get("id", "") for cell in notebook["cells"])
    return [f"id '{name}' of {count} cells" for name, count in counts.items() if count > 1 or not name]


RULES: tuple[Callable[[Notebook], list[str]], ...] = (
    parameters_come_first,
    parameters_are_literals,
    wanted_parameters_are_there,
    title_comes_first,
    headings_skip_no_level,
    outputs_are_stripped,
    kernel_is_python3,
    metadata_is_plain,
    code_is_python,
    logic_is_in_the_library,
    sql_is_in_the_params,
    paths_are_relative,
    imports_need_no_tricks,
    code_is_short,
    tags_are_known,
    last_cell_finishes,
    checks_have_a_heading,
    figures_are_described,
    ids_are_unique,
)


def is_as_nbformat_writes(path: Path) -> bool:
    """Tell whether a file is what nbformat would write, with a newline at its end, so that diffs stay small."""
    return path.read_bytes().decode() == written(read(path))


def broken_rules(notebook: Notebook) -> dict[str, list[str]]:
    """Rules that a notebook breaks, by name, and where."""
    found = {rule.__name__: rule(notebook) for rule in RULES}
    return {name: broken for name, broken in found.items() if broken}


def defaults_that_differ(notebooks: dict[str, Notebook]) -> list[str]:
    """Parameters of the same name whose type or default is not the same in all notebooks."""
    seen: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for title, notebook in notebooks.items():
        for name, default in parameters(notebook).items():
            seen[name][default].append(title)
    return [
        f"{name}: "
        + ", ".join(f"{value} ({kind}) in {' '.join(titles)}" for (kind, value), titles in found.items())
        for name, found in seen.items()
        if len(found) > 1
    ]
