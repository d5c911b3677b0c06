"""An executed review of a toy company, built without a kernel from what the library really shows."""

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from spms_lib.report import figures
from spms_lib.report.tables import show
from spms_lib.report.text import Metric, headline, say

REGIONS = pd.DataFrame(
    {
        "name": ["North", "South & Co", "<script>alert(1)</script>"],
        "target": [420_000_00, 310_000_00, 90_000_00],
        "field": [400_000_00, None, 95_000_00],
        "plan": [410_000_00, 300_000_00, 92_000_00],
    }
)


def shown(printed):
    return new_output(
        "execute_result", {"text/html": printed.html, "text/plain": repr(printed)}, execution_count=1
    )


@pytest.fixture
def review():
    data, metadata = figures.figure_bundle(
        figures.dumbbell(REGIONS, rows="name", points={"target": "target", "plan": "plan"}),
        'Target and plan of three regions; "North" leads.',
    )
    says = say(["North is **ahead**.", "A $5M and a $3M deal <b>slipped</b>."])
    cells = [
        new_markdown_cell("# Quarterly review\n\nAre we on course? Leadership decides with this page."),
        new_code_cell(
            'company: str = "toy"\ncycle: str = "2026Q4"\napi_token: str = "hunter2"',
            metadata={"tags": ["parameters"]},
        ),
        new_code_cell('data = "/home/someone/plan/data"', metadata={"tags": ["injected-parameters"]}),
        new_code_cell(
            "import_of_the_setup = 1",
            metadata={"tags": ["setup"]},
            outputs=[new_output("stream", text="ready")],
        ),
        new_markdown_cell("# Regions\n\nLook for long lines."),
        new_code_cell("figure_code = 1", outputs=[new_output("display_data", data, metadata=metadata)]),
        new_code_cell(
            "table_code = 1",
            outputs=[
                shown(show(REGIONS, title="Plan by region", money=["target", "field", "plan"])),
                new_output(
                    "stream", name="stderr", text="careful: /home/someone/plan/data/sales.csv is old\n"
                ),
            ],
        ),
        new_code_cell(
            "headline_code = 1",
            metadata={"tags": ["summary"]},
            outputs=[
                shown(headline([Metric("Attainment", "94.2%", "of quota", "watch")])),
                new_output(
                    "display_data", {"text/markdown": says._repr_markdown_(), "text/plain": repr(says)}
                ),
                new_output(
                    "display_data",
                    {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"},
                ),
            ],
        ),
        new_code_cell(
            "never = 1", metadata={"tags": ["remove-cell"]}, outputs=[new_output("stream", text="removed")]
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    papermill = {
        "input_path": "/home/someone/notebooks/10_review.ipynb",
        "output_path": "/home/someone/outputs/10_review.ipynb",
        "parameters": {
            "cycle": "2026Q4",
            "region": "North",
            "growth_ratio": 0.08,
            "data": "/home/someone/plan/data",
            "mailbox": "https://mail.example/in",
            "db_password": "hunter3",
        },
    }
    return new_notebook(cells=cells, metadata={"papermill": papermill})


@pytest.fixture
def notebook_file(review, tmp_path):
    path = tmp_path / "10_review.ipynb"
    nbformat.write(review, path)
    return path
