"""The shipped notebooks keep their rules, and each rule is shown to fail on a notebook that breaks it."""

import copy
from collections.abc import Callable
from pathlib import Path

import notebook_rules as rules
import pytest
from notebook_project import SHIPPED, Notebook, read, written

PARAMETERS = """\
company: str = "sample"  # a folder in params/
cycle: str = "2026Q3"  # a file in it
data: str = ""  # folder with the files
interactive: bool = False  # True shows controls"""


def markdown(text: str) -> Notebook:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str, *tags: str) -> Notebook:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": [], "execution_count": None}


def good() -> Notebook:
    """A small notebook that keeps every rule."""
    cells = [
        markdown("# How much?\n\nA question, and who decides."),
        code(PARAMETERS, "parameters"),
        code("from spms_lib.cycle import open_cycle\n\ndesk = open_cycle(company, cycle)", "setup"),
        markdown("## Evidence\n\n```\n# no heading\n```"),
        code("show([row for row in desk.rows], title=f'{cycle}/all')"),
        code("display_figure(figure, f'Bars by {level}.')"),
        markdown("## Checks, outputs"),
        code("desk.check('adds up', True)\ndesk.finish(f'{cycle} is done')"),
    ]
    metadata = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}}
    return {
        "cells": [{**cell, "id": f"cell{number}"} for number, cell in enumerate(cells)],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


Change = Callable[[Notebook], object]


def says(number: int, text: str) -> Change:
    """Replace the source of a cell."""
    return lambda notebook: notebook["cells"][number].update(source=text)


def adds(number: int, text: str) -> Change:
    """Append to the source of a cell."""
    return lambda notebook: notebook["cells"][number].update(
        source=notebook["cells"][number]["source"] + text
    )


BAD: list[tuple[str, str, Change]] = [
    ("parameters_come_first", "no cell is tagged", lambda nb: nb["cells"][1].update(metadata={})),
    ("parameters_come_first", "two are", lambda nb: nb["cells"][4].update(metadata={"tags": ["parameters"]})),
    ("parameters_come_first", "below the setup", lambda nb: nb["cells"].insert(1, nb["cells"].pop(2))),
    ("parameters_are_literals", "computed", adds(1, "\nhalf: float = 1 / 2  # a share")),
    ("parameters_are_literals", "no help", adds(1, "\nhalf: float = 0.5")),
    ("parameters_are_literals", "no type", adds(1, "\nhalf = 0.5  # a share")),
    (
        "parameters_are_literals",
        "a type papermill cannot see",
        adds(1, "\nhalf: float | None = 0.5  # a share"),
    ),
    ("parameters_are_literals", "another type than the default", adds(1, "\nhalf: float = 1  # a share")),
    (
        "parameters_are_literals",
        "folded by the formatter",
        adds(1, "\nhalf: float = (\n    0.5  # a share\n)"),
    ),
    ("wanted_parameters_are_there", "no data", says(1, PARAMETERS.replace("data:", "folder:"))),
    ("title_comes_first", "prose above the title", says(0, "By the way.\n\n# How much?")),
    ("title_comes_first", "no title", says(0, "How much?")),
    ("title_comes_first", "a second title", says(3, "# Evidence")),
    ("title_comes_first", "code above the title", lambda nb: nb["cells"].insert(0, nb["cells"].pop(1))),
    ("headings_skip_no_level", "H3 below H1", says(3, "### Evidence")),
    ("outputs_are_stripped", "a count", lambda nb: nb["cells"][4].update(execution_count=3)),
    (
        "outputs_are_stripped",
        "an output",
        lambda nb: nb["cells"][4].update(outputs=[{"output_type": "stream"}]),
    ),
    (
        "kernel_is_python3",
        "own kernel",
        lambda nb: nb["metadata"].update(kernelspec={"name": "planning-env"}),
    ),
    ("kernel_is_python3", "no kernel", lambda nb: nb["metadata"].pop("kernelspec")),
    ("metadata_is_plain", "papermill", lambda nb: nb["metadata"].update(papermill={"duration": 3.0})),
    ("metadata_is_plain", "widgets", lambda nb: nb["metadata"].update(widgets={})),
    ("metadata_is_plain", "a cell's papermill", lambda nb: nb["cells"][4]["metadata"].update(papermill={})),
    ("code_is_python", "a magic", says(4, "%matplotlib inline")),
    ("logic_is_in_the_library", "def", says(4, "def double(x):\n    return 2 * x")),
    ("logic_is_in_the_library", "class", says(4, "class Row: pass")),
    ("logic_is_in_the_library", "for", says(4, "for node in desk.tree: show(node)")),
    ("logic_is_in_the_library", "while", says(4, "while False: pass")),
    ("logic_is_in_the_library", "try", says(4, "try:\n    1\nexcept ValueError:\n    2")),
    (
        "logic_is_in_the_library",
        "nested for",
        says(4, "if interactive:\n    for node in desk.tree: show(node)"),
    ),
    ("sql_is_in_the_params", "a query", says(4, "desk.ask('SELECT node\\nFROM sales')")),
    ("sql_is_in_the_params", "a long query", says(4, "desk.ask('with a as (select 1) select * from a')")),
    ("sql_is_in_the_params", "an update", says(4, "desk.ask(f'update {table} set value = 0')")),
    ("paths_are_relative", "a path", says(4, "show('/srv/data/sales.csv')")),
    ("paths_are_relative", "a formatted path", says(4, "show(f'/srv/{company}')")),
    ("paths_are_relative", "a drive", says(4, "show('C:\\\\data')")),
    ("paths_are_relative", "a home", says(4, "show('~/data')")),
    ("paths_are_relative", "a path in prose", says(3, "## Evidence\n\nFrom /home/ann/sales.csv.")),
    ("imports_need_no_tricks", "sys.path", adds(2, "\nsys.path.insert(0, '..')")),
    ("imports_need_no_tricks", "a late import", says(4, "import numpy as np")),
    ("code_is_short", "many statements", adds(2, "\na = 1; b = 2" * 60)),
    ("code_is_short", "a long cell", says(4, "show(\n" + "    desk,\n" * 19 + ")")),
    ("tags_are_known", "misspelt", lambda nb: nb["cells"][4].update(metadata={"tags": ["hide_input"]})),
    ("tags_are_known", "on prose", lambda nb: nb["cells"][3].update(metadata={"tags": ["draft"]})),
    ("last_cell_finishes", "no finish", says(7, "desk.check('adds up', True)")),
    ("last_cell_finishes", "not at the end", adds(7, "\ncycle")),
    (
        "last_cell_finishes",
        "not in the last cell",
        lambda nb: nb["cells"].append({**code("cycle"), "id": "z"}),
    ),
    ("last_cell_finishes", "of something else", says(7, "run.finish('done')")),
    ("last_cell_finishes", "an empty cell", says(7, "")),
    ("checks_have_a_heading", "another heading", says(6, "## Outputs")),
    ("checks_have_a_heading", "a smaller heading", says(6, "### Checks")),
    ("figures_are_described", "no description", says(5, "display_figure(figure)")),
    ("figures_are_described", "an empty description", says(5, "figures.display_figure(figure, ' ')")),
    ("figures_are_described", "matplotlib", adds(2, "\nfrom matplotlib import pyplot as plt")),
    ("ids_are_unique", "twice", lambda nb: nb["cells"][4].update(id="cell0")),
    ("ids_are_unique", "none", lambda nb: nb["cells"][4].pop("id")),
]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_notebook_keeps_every_rule(path: Path):
    assert rules.broken_rules(read(path)) == {}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_notebook_is_written_as_nbformat_writes_it(path: Path):
    assert rules.is_as_nbformat_writes(path)


def test_a_parameter_has_the_same_type_and_default_in_every_notebook():
    assert rules.defaults_that_differ({path.stem: read(path) for path in SHIPPED}) == []


def test_notebooks_are_numbered_in_the_order_of_the_cycle():
    assert [path.stem[:3] for path in SHIPPED] == [f"{number:02}_" for number in range(1, 11)]


def test_a_good_notebook_breaks_no_rule():
    assert rules.broken_rules(good()) == {}


@pytest.mark.parametrize(("rule", "why", "change"), BAD, ids=[f"{rule}: {why}" for rule, why, _ in BAD])
def test_a_rule_fails_on_a_notebook_that_breaks_it(rule: str, why: str, change: Change):
    bad = copy.deepcopy(good())
    change(bad)
    assert rule in rules.broken_rules(bad), why


def test_every_rule_is_shown_to_fail():
    assert {rule for rule, _, _ in BAD} == {rule.__name__ for rule in rules.RULES}


def test_defaults_that_differ_are_named_with_their_notebooks():
    other = good()
    says(1, PARAMETERS.replace('"2026Q3"', '"2026Q4"'))(other)
    assert rules.defaults_that_differ({"one": good(), "two": good()}) == []
    assert rules.defaults_that_differ({"one": good(), "two": other}) == [
        'cycle: "2026Q3" (str) in one, "2026Q4" (str) in two'
    ]


def test_a_file_that_something_else_wrote_is_seen(tmp_path: Path):
    file, text = tmp_path / "edited.ipynb", written(good())
    others = (
        text.rstrip(),
        text.replace("\n ", "\n  "),
        text.replace("\n", "\r\n"),
        text.replace('"nb', ' "nb'),
    )
    for other in others:
        file.write_bytes(other.encode())
        assert not rules.is_as_nbformat_writes(file)
    file.write_bytes(text.encode())
    assert rules.is_as_nbformat_writes(file)
