import re
from html.parser import HTMLParser

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from spms_lib.errors import SourceError
from spms_lib.report.html import export_html, render_html, strip_private
from spms_lib.report.private import short_paths


@pytest.fixture
def page(review):
    return render_html(review, title="Review of the toy company")


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


def test_the_page_asks_the_network_for_nothing(page):
    fetched = [
        attrs.get("src") or attrs.get("href")
        for tag, attrs in Elements(page).found
        if tag != "a" and (attrs.get("src") or attrs.get("href"))
    ]
    assert fetched
    assert all(address.startswith("data:") for address in fetched)
    assert not re.search(r"https?://", page)


def test_the_browser_is_told_to_run_and_fetch_nothing(page):
    policies = [
        meta for meta in Elements(page).all("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies[0]["content"].startswith("default-src 'none'")


def test_no_script_survives_not_even_from_the_data(page):
    assert Elements(page).all("script") == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_figures_carry_their_description_and_size(page):
    (image,) = Elements(page).all("img")
    assert image["alt"] == 'Target and plan of three regions; "North" leads.'
    assert image["width"] == "900"


def test_a_figure_without_description_says_so():
    nb = new_notebook(
        cells=[new_code_cell("x", outputs=[new_output("display_data", {"image/png": "iVBORw0KGgo="})])]
    )
    assert Elements(render_html(nb, title="t")).all("img")[0]["alt"] == "A figure without a description."


def test_no_code_no_setup_no_removed_cell_no_widget(page):
    for hidden in ("_code = 1", "import_of_the_setup", "ready", "removed", "IntSlider", "hunter"):
        assert hidden not in page


def test_one_first_heading_a_language_a_main_part_and_a_skip_link(page):
    elements = Elements(page)
    assert len(elements.all("h1")) == 1
    assert "<h1>Review of the toy company</h1>" in page
    assert "Regions</h2>" in page
    assert "Quarterly review" not in page
    assert elements.all("html")[0]["lang"] == "en"
    assert elements.all("main")[0]["id"] == elements.all("a")[0]["href"].lstrip("#")


def test_the_first_screen_is_title_context_tiles_and_summary(page):
    order = [
        "<h1>",
        "toy · 2026Q4 · North",
        "Are we on course?",
        "94.2%",
        "is <strong>ahead</strong>",
        "Regions",
    ]
    places = [page.index(text) for text in order]
    assert places == sorted(places)


def test_dollar_amounts_of_the_summary_are_plain_text(page):
    assert "A $5M and a $3M deal &lt;b&gt;slipped&lt;/b&gt;." in page


def test_warnings_wait_in_a_details_block_without_local_paths(page):
    details = page[page.index("<details>") : page.index("</details>")]
    assert "careful: …/sales.csv is old" in details


def test_parameters_stand_at_the_foot_without_paths_and_secrets(page):
    foot = page[page.index("<footer>") :]
    assert re.findall(r'scope="row">([^<]*)<', foot) == ["company", "cycle", "growth_ratio", "region"]
    assert "/home/" not in page


def test_the_report_is_small(page):
    assert len(page.encode()) < 300_000


def test_exporting_twice_gives_the_same_bytes(notebook_file, tmp_path):
    first = export_html(notebook_file, tmp_path / "html" / "a.html", title="T & Co").read_bytes()
    second = export_html(notebook_file, tmp_path / "html" / "b.html", title="T & Co").read_bytes()
    assert first == second
    assert b"<title>T &amp; Co</title>" in first
    assert sorted(path.name for path in (tmp_path / "html").iterdir()) == ["a.html", "b.html"]


def test_a_failed_export_leaves_the_last_good_page(tmp_path):
    target = tmp_path / "a.html"
    target.write_text("good")
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{ this is not a notebook")
    with pytest.raises(SourceError, match=r"broken\.ipynb: The notebook cannot be read"):
        export_html(broken, target, title="t")
    assert target.read_text() == "good"


def test_a_failed_step_is_readable_and_announced_first():
    error = new_output(
        "error",
        ename="CheckError",
        evalue="off by €0.01 <b>",
        traceback=["\x1b[0;31mCheckError\x1b[0m", "File \x1b[0;32m/home/me/lib/spms/x.py:3\x1b[0m", "off"],
    )
    banner = new_markdown_cell("<span>An Exception</span>", metadata={"tags": ["papermill-error-cell-tag"]})
    nb = new_notebook(cells=[banner, new_markdown_cell("# A\n\nWhy?"), new_code_cell("x", outputs=[error])])
    page = render_html(nb, title="t")
    assert page.index("This report is incomplete") < page.index("Why?")
    assert "This step failed: CheckError." in page
    assert "off by €0.01 &lt;b&gt;" in page
    assert "An Exception" not in page
    assert "\x1b" not in page
    assert "File …/x.py:3" in page


def test_strip_private_leaves_the_notebook_given_alone(review):
    before = nbformat.writes(review)
    clean = nbformat.writes(strip_private(review))
    assert nbformat.writes(review) == before
    for private in ("/home/someone", "hunter2", "hunter3", "input_path", "output_path"):
        assert private in before
        assert private not in clean


@pytest.mark.parametrize(
    "kept",
    [
        "https://a.example/b/c/d.csv",
        "outputs/sample/2026Q4/index.html",
        "North/South/West",
        "3 / 4 / 5",
        "</td></tr>",
        "data:image/png;base64,iVBOR/abc/def+/gh/ij/kl",
    ],
)
def test_what_is_no_local_path_is_left_alone(kept):
    assert short_paths(f"see {kept}") == f"see {kept}"
