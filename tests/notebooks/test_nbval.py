"""Every notebook runs from top to bottom, and shows the numbers that it showed when its golden was made."""

import copy
import re
from pathlib import Path

import nbformat
import pytest
from notebook_project import (
    COMPANY_LINE,
    GOLDEN,
    SANITIZER,
    SHIPPED,
    Notebook,
    Project,
    code_cells,
    for_golden_company,
    is_executed,
    read,
    run_in_one_kernel,
    run_nbval,
    write,
)

STRICT = ("--nbval", "--nbval-sanitize-with", str(SANITIZER))
REMAKE = "if that is meant: python tests/notebooks/make_golden.py"
AMOUNT = re.compile(r"€\d{1,3}(?:,\d{3})*\.\d\d(?!\d)")

GOLDENS = [GOLDEN / path.name for path in SHIPPED]


def every_cell(notebooks: list[Path]) -> dict[str, str]:
    """What nbval says if every code cell of these notebooks was run and passed."""
    return {
        f"{path.name} Cell {number}": "passed"
        for path in notebooks
        for number in range(len(code_cells(read(path))))
    }


def stripped(notebook: Notebook) -> Notebook:
    """Remove outputs and counts, as for a commit to `notebooks/`."""
    bare = copy.deepcopy(notebook)
    for cell in code_cells(bare):
        cell.update(outputs=[], execution_count=None)
    return bare


def with_one_digit_changed(notebook: Notebook) -> tuple[Notebook, int]:
    """Change the last digit of the first amount of money, wherever its output says it; return its cell too."""
    changed = copy.deepcopy(notebook)
    for number, cell in enumerate(code_cells(changed)):
        for output in cell["outputs"]:
            found = AMOUNT.search(output.get("data", {}).get("text/plain", ""))
            if found:
                amount = found.group()
                other = amount[:-1] + str((int(amount[-1]) + 1) % 10)
                for kind in ("text/plain", "text/html"):
                    assert amount in output["data"][kind]
                    output["data"][kind] = output["data"][kind].replace(amount, other)
                return changed, number
    raise AssertionError("no amount of money is shown")


# -- without a kernel ----------------------------------------------------------------------------


def test_every_notebook_has_a_golden_and_every_golden_a_notebook():
    assert len(SHIPPED) == 10
    assert {path.name for path in GOLDEN.glob("*.ipynb")} == {path.name for path in SHIPPED}, REMAKE


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_golden_is_its_notebook_with_another_company(path: Path):
    def cells(notebook: Notebook) -> list[tuple[str, str]]:
        return [(cell["cell_type"], cell["source"]) for cell in notebook["cells"]]

    assert cells(read(GOLDEN / path.name)) == cells(for_golden_company(read(path))), REMAKE


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_a_golden_has_outputs_to_compare_with(path: Path):
    golden = read(path)
    assert is_executed(golden), REMAKE
    assert not is_executed(stripped(golden))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_notebook_is_no_golden(path: Path):
    assert not is_executed(read(path))


def test_a_golden_that_was_run_out_of_order_is_none():
    golden = read(GOLDENS[0])
    code_cells(golden)[-1]["execution_count"] += 1
    assert not is_executed(golden)


def test_a_golden_whose_figures_were_cleared_is_none():
    golden = read(GOLDENS[0])
    next(cell for cell in code_cells(golden) if "display_figure(" in cell["source"])["outputs"] = []
    assert not is_executed(golden)


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_a_golden_names_no_folder_of_the_machine_that_made_it(path: Path):
    assert not re.search(r"/tmp/|/home/|/Users/|/root/|[A-Z]:\\\\", path.read_text(encoding="utf-8"))


def test_a_golden_company_needs_the_default_company_to_be_there():
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": 'company = "sample"'}
    with pytest.raises(ValueError, match=re.escape(COMPANY_LINE)):
        for_golden_company({"cells": [cell]})


# -- with kernels --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_shipped_notebooks_run_for_the_sample_company(project: Project, tmp_path: Path):
    copies = [project.root / "notebooks" / path.name for path in SHIPPED]
    verdicts = run_in_one_kernel(project.with_outputs(tmp_path / "outputs"), copies)
    assert verdicts.cells == every_cell(SHIPPED), verdicts.text


@pytest.mark.slow
def test_one_kernel_forgets_a_notebook_before_the_next_and_tells_which_cell_failed(
    project: Project, tmp_path: Path
):
    def notebook(name: str, *sources: str) -> Path:
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / name)
        return tmp_path / name

    files = [notebook("a.ipynb", "left = 1"), notebook("b.ipynb", "1", "left", "2"), notebook("c.ipynb", "3")]
    verdicts = run_in_one_kernel(project, files)
    assert verdicts.cells == {
        "a.ipynb Cell 0": "passed",
        "b.ipynb Cell 0": "passed",
        "b.ipynb Cell 1": "failure",
        "b.ipynb Cell 2": "skipped",
        "c.ipynb Cell 0": "passed",
    }
    assert "NameError" in verdicts.text


@pytest.mark.slow
def test_the_goldens_show_the_same_numbers_again(project: Project, tmp_path: Path):
    verdicts = run_nbval(project.with_outputs(tmp_path / "outputs"), GOLDENS, tmp_path, *STRICT)
    assert verdicts.cells == every_cell(GOLDENS), f"{verdicts.text}\n{REMAKE}"


@pytest.mark.slow
def test_one_changed_digit_fails_its_cell_but_only_where_counts_were_kept(project: Project, tmp_path: Path):
    changed, number = with_one_digit_changed(read(GOLDENS[0]))
    mutant = write(changed, tmp_path / "mutant.ipynb")
    assert number > 1

    bare = stripped(changed)  # strict nbval has nothing to say of it, whatever it computes
    bare["cells"] = [{**code_cells(bare)[number], "source": "40 + 2"}]
    vacuous = write(bare, tmp_path / "vacuous.ipynb")

    project = project.with_outputs(tmp_path / "outputs")
    verdicts = run_nbval(project, [mutant, vacuous], tmp_path, *STRICT)
    assert verdicts.failed == [f"mutant.ipynb Cell {number}"], verdicts.text
    assert verdicts.cells.keys() == every_cell([mutant, vacuous]).keys()
