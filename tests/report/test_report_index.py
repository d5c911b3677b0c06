import re

import pytest

from spms_lib.report.index import write_index

MANIFEST = {
    "company": "toy",
    "title": "Toy <plan>",
    "cycle": "2026Q4",
    "status": "failed",
    "started": "2026-11-23T08:00:00+00:00",
    "finished": "2026-11-23T08:02:13+00:00",
    "tables": [
        {"table": "actuals", "origin": "a.csv", "rows_in": 10, "rows_used": 9, "rows_rejected": 1, "sha256": "ab" * 32}
    ],
    "findings": [
        {"table": "actuals", "column": "value", "rule": "not a number", "severity": "rejected", "count": 1,
         "example": "<n/a>", "remedy": "Type a number."}
    ],
    "notebooks": [
        {"name": "03_goal_setting", "title": "Goal setting", "status": "done", "seconds": 75,
         "html": "html/03_goal_setting.html", "headline": "Target <€1M>"},
        {"name": "08_incentives", "title": "Incentives", "status": "skipped", "html": "html/08_incentives.html",
         "error": "needs 07_reconciliation"},
        {"name": "10_review_n", "title": "Review", "region": "North", "status": "done", "html": "html/07 n.html"},
        {"name": "10_review", "title": "Review", "region": "", "status": "failed", "html": "html/10_review.html",
         "error": "KeyError: 'x'", "headline": [{"label": "Attainment", "value": "94%"}]},
    ],
    "checks": [
        {"notebook": "03_goal_setting", "check": "adds up", "passed": True, "detail": ""},
        {"notebook": "07_reconciliation", "check": "coherent", "passed": False, "detail": "off by 1"},
    ],
}  # fmt: skip


@pytest.fixture
def page(tmp_path):
    return write_index(tmp_path, MANIFEST).read_text(encoding="utf-8")


def test_the_company_review_stands_first_then_regions_then_the_others(page):
    places = [
        page.index(text) for text in ("html/10_review.html", "html/07%20n.html", "html/03_goal_setting.html")
    ]
    assert places == sorted(places)


def test_status_duration_headline_and_reason_are_said_in_words(page):
    for text in (
        "✗ failed",
        "– skipped",
        "1 min 15 s",
        "2 min 13 s",
        "Attainment 94%",
        "needs 07_reconciliation",
    ):
        assert text in page


def test_a_skipped_edition_has_no_link(page):
    assert "html/08_incentives.html" not in page


def test_rows_findings_and_checks_are_counted(page):
    assert re.search(
        r"actuals</th><td[^>]*>a.csv</td><td[^>]*>10</td><td[^>]*>9</td><td[^>]*>1</td><td[^>]*>abababababab<",
        page,
    )
    assert "not a number" in page
    assert "1 check did not hold" in page


def test_every_text_of_the_manifest_is_escaped(page):
    assert "&lt;plan&gt;" in page
    assert "&lt;n/a&gt;" in page
    assert "Target &lt;€1M&gt;" in page


def test_the_front_page_asks_the_network_for_nothing(page):
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert "<script" not in page


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"notebooks": None, "checks": [{}]},
        {"notebooks": [{}]},
        {"findings": [{"rule": "r"}], "tables": [{"table": "t"}]},
    ],
)
def test_missing_keys_are_tolerated(manifest, tmp_path):
    page = write_index(tmp_path, manifest).read_text(encoding="utf-8")
    assert page.count("<h1>") == 1
    assert "None" not in page
    assert "nan" not in page


@pytest.mark.parametrize(
    "link", ["/etc/passwd", "../elsewhere.html", "javascript:alert(1)", "https://a.example/"]
)
def test_links_stay_inside_the_run(link, tmp_path):
    manifest = {"notebooks": [{"name": "10_review", "html": link, "notebook": link}]}
    links = re.findall(r'href="([^"]*)"', write_index(tmp_path, manifest).read_text(encoding="utf-8"))
    assert links == ["#main", "manifest.json"]


def test_an_absolute_place_inside_the_run_becomes_relative(tmp_path):
    manifest = {"notebooks": [{"name": "10_review", "html": str(tmp_path / "html" / "r.html")}]}
    assert 'href="html/r.html"' in write_index(tmp_path, manifest).read_text(encoding="utf-8")


def test_the_same_manifest_gives_the_same_page(tmp_path):
    first = write_index(tmp_path, MANIFEST).read_bytes()
    assert write_index(tmp_path, MANIFEST).read_bytes() == first
