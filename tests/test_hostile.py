"""Hostile text in, harmless outputs out: pages, tables, CSV files, figures, file names, terminal."""

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import nbformat
import pandas as pd
import pytest
from matplotlib.text import Text
from typer.testing import CliRunner

from spms_lib.batch.files import shown_from
from spms_lib.batch.publish import Page, publish
from spms_lib.batch.run import run_cycle
from spms_lib.cli import app
from spms_lib.csv_out import csv_text, read_back, write_csv
from spms_lib.cycle import Desk, open_cycle
from spms_lib.cycle.paths import edition_name
from spms_lib.errors import SourceError, SpmsError
from spms_lib.findings import LONGEST_VALUE, rejected_rows
from spms_lib.report import figures
from spms_lib.report.html import render_html
from spms_lib.report.index import write_index
from spms_lib.report.tables import show
from spms_lib.report.text import Metric, callout, headline, say
from spms_lib.sources import csv_text as source_text
from spms_lib.sources.coerce import LONGEST_TEXT
from spms_lib.sources.load import load_table
from spms_lib.sources.spec import TableSource

from hostile import (  # isort: skip
    ATTACKS,
    CYCLE,
    FORMULAS,
    MATHS,
    PATHS,
    REGIONS,
    SELLERS,
    SIGNS,
    write_company,
)

OUR_TAGS = re.compile(
    "html|head|meta|title|style|body|a|header|h[1-4]|p|main|div|span|strong|em|b|ul|ol|li|table|caption|thead|tbody"
    "|tr|th|td|dl|dt|dd|footer|details|summary|pre|code|img|br|hr"
)
OUR_ATTRIBUTES = re.compile(
    "lang|charset|name|content|http-equiv|class|href|id|role|aria-label|tabindex|scope|colspan|src|alt|width|height"
)
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
FORMULA = re.compile(r"[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
NUMBER = re.compile(r"[+-]?[0-9.,]+(e[+-]?\d+)?%?")


class _Reader(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not OUR_TAGS.fullmatch(tag):
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            text = value or ""
            link = name == "href" and not re.fullmatch(
                r"#[\w.%-]*|(?!\.\.)[\w.%-]+(/(?!\.\.)[\w.%-]+)*", text
            )
            picture = name == "src" and not text.startswith("data:image/")
            if not OUR_ATTRIBUTES.fullmatch(name) or link or picture:
                self.wrong.append(f"{tag} {name}={text[:80]}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data[:40]}")


def harms_in_page(html: str) -> list[str]:
    """Tags, attributes, links, comments and signs that none of our templates writes."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [*reader.wrong, *(ascii(sign) for sign in HIDDEN.findall(html))]


def words_of(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    return "".join(reader.words)


def harms_in_csv(text: str) -> list[str]:
    """Cells that a spreadsheet would run, rows broken by a cell, and signs that hide something."""
    found = [ascii(sign) for sign in HIDDEN.findall(text)]
    broken = re.split(r"\r(?!\n)", re.sub(r'"(?:[^"]|"")*"', "", text))
    found += ["a lone return outside of quotation marks"] * (len(broken) - 1)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    found += [f"row of {len(row)} cells" for row in rows if len(row) != len(rows[0])]
    return found + [
        cell for row in rows for cell in row if FORMULA.match(cell) and not NUMBER.fullmatch(cell)
    ]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("hostile")
    (root / "notebooks").mkdir()
    write_company(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPMS_ROOT", str(root))
        patch.setenv("SPMS_AUTHOR", FORMULAS[1])
        for name in ("SPMS_OUT", "SPMS_EDITION"):
            patch.delenv(name, raising=False)
        yield open_cycle("hostile", CYCLE, notebook="review", region=REGIONS[0])


def frame_of_attacks() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "node": list(ATTACKS),
            "change": [-5 * number for number in range(len(ATTACKS))],
            "ratio": [-0.25] * len(ATTACKS),
            ATTACKS[0]: pd.Categorical(ATTACKS),
            ATTACKS[10]: pd.Series(ATTACKS, dtype="str"),
        }
    )


class TestOurOwnEyes:
    """The checks of this file find what they look for."""

    @pytest.mark.parametrize("text", [text for text in ATTACKS if re.search(r"<\w", text)])
    def test_a_raw_tag_is_found(self, text: str) -> None:
        assert harms_in_page(f"<p>{text}</p>")

    @pytest.mark.parametrize("text", [text for text in FORMULAS if not text.startswith("'")])
    def test_a_formula_is_found(self, text: str) -> None:
        assert harms_in_csv(pd.DataFrame({"a": [text]}).to_csv(index=False))

    def test_hidden_signs_links_and_broken_rows_are_found(self) -> None:
        assert harms_in_page(f"<p>{SIGNS[1]}</p>")
        assert harms_in_page('<a href="javascript:alert(1)">x</a>')
        assert harms_in_page('<a href="html/../../x">x</a>')
        assert harms_in_csv("a,b\n1\r=2,3\n")


class TestTables:
    def test_a_csv_runs_nothing_and_keeps_numbers(self, tmp_path: Path) -> None:
        text = csv_text(frame_of_attacks().set_index("node"), index=True)
        assert harms_in_csv(text) == []
        write_csv(frame_of_attacks(), tmp_path / "a.csv")
        read = pd.read_csv(tmp_path / "a.csv")
        assert read["change"].tolist() == frame_of_attacks()["change"].tolist()
        assert read["ratio"].tolist() == [-0.25] * len(ATTACKS)

    def test_what_is_read_back_is_what_was_written(self, tmp_path: Path) -> None:
        """Line ends become one kind and hidden signs stay visible; an apostrophe of the text's own survives."""
        write_csv(frame_of_attacks(), tmp_path / "a.csv")
        read = read_back(tmp_path / "a.csv")
        expected = [HIDDEN.sub("\ufffd", text.replace("\r", "\n")) for text in ATTACKS]
        assert read["node"].tolist() == expected
        assert list(read.columns)[3] == ATTACKS[0]

    @pytest.mark.parametrize(
        "text", ["''=1", "'=1", "'plain", "-12.50", "- 3", "+49 30 1234", "", "=", "1-2", "a=b"]
    )
    def test_the_apostrophe_comes_off_again(self, text: str, tmp_path: Path) -> None:
        write_csv(pd.DataFrame({"a": [text, "x"]}), tmp_path / "a.csv")
        read = read_back(tmp_path / "a.csv")["a"].fillna("").tolist()
        assert read[0] == text
        assert harms_in_csv((tmp_path / "a.csv").read_text()) == []

    def test_labels_of_many_levels_and_missing_cells_are_written_too(self) -> None:
        wide = pd.DataFrame({("=1", "a"): [1.5, None], ("=1", "@b"): ["=2", None]})
        long = wide.set_axis(pd.MultiIndex.from_tuples([("=x", 1), ("y", 2)], names=["=n", "m"]), axis=0)
        text = csv_text(long, index=True)
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert [cell for cell in cells if FORMULA.match(cell)] == []
        assert "1.5" in cells

    def test_a_printed_table_shows_every_word_as_it_is_and_no_tag_of_it(self) -> None:
        printed = show(frame_of_attacks(), title=ATTACKS[10], note=ATTACKS[11], labels={"node": ATTACKS[12]})
        assert harms_in_page(printed.html) == []
        assert not HIDDEN.search(printed.text)
        words = words_of(printed.html)
        assert all(HIDDEN.sub("\ufffd", text) in words for text in ATTACKS)


class TestSentences:
    def test_tiles_and_callouts_escape(self) -> None:
        for text in ATTACKS:
            tiles = headline([Metric(text, text, text, "bad")])
            for printed in (tiles, callout("warning", text)):
                assert harms_in_page(printed.html) == []
                assert not HIDDEN.search(printed.text)

    def test_sentences_become_no_tag_link_formula_or_heading_in_markdown(self) -> None:
        from nbconvert.filters import markdown2html

        for text in (*ATTACKS, "# big", "~~~ js", "\\$x$", "HTTP://evil.example", "see WWW.evil.example"):
            said = say([text, f"**bold** {text}"])
            html = markdown2html(said._repr_markdown_())  # type: ignore[no-untyped-call]
            assert harms_in_page(html) == [], text
            assert not re.search(r"<(a|h\d|pre|code|img)\b", html), text
            assert not re.search(r"(?<!\\)\$", said._repr_markdown_())
            flat = " ".join(HIDDEN.sub("\ufffd", text).replace("\\$", "$").split())
            shown = " ".join(words_of(html).replace("\\$", "$").split())
            assert shown.count(flat.replace("**", "").replace("&lt;", "&lt;")) >= 1 or "*" in text, text


class TestPages:
    def test_a_report_holds_no_tag_of_the_data(self) -> None:
        outputs = [
            nbformat.v4.new_output("display_data", {"text/html": show(frame_of_attacks(), title="x").html}),
            nbformat.v4.new_output("display_data", {"text/markdown": say(list(ATTACKS))._repr_markdown_()}),
            nbformat.v4.new_output("display_data", {"text/plain": "\n".join(ATTACKS)}),
            nbformat.v4.new_output(
                "display_data", {"image/png": "aGk="}, metadata={"image/png": {"alt": " ".join(ATTACKS)}}
            ),
            nbformat.v4.new_output("stream", text="\n".join(ATTACKS)),
            nbformat.v4.new_output("stream", name="stderr", text="\n".join(ATTACKS)),
            nbformat.v4.new_output("error", ename=ATTACKS[10], evalue=ATTACKS[11], traceback=list(ATTACKS)),
        ]
        cells = [
            nbformat.v4.new_markdown_cell("# Title"),
            nbformat.v4.new_code_cell("pass", outputs=outputs),
        ]
        told = {f"p{at}": text for at, text in enumerate(ATTACKS)} | {
            "company": ATTACKS[10],
            "region": ATTACKS[11],
        }
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {"parameters": told}})
        for title in (ATTACKS[10], ATTACKS[11], SIGNS[1]):
            assert harms_in_page(render_html(notebook, title=title)) == []

    def test_a_failure_whose_message_breaks_its_line_stays_a_block_of_code(self, tmp_path: Path) -> None:
        page = Page(tmp_path, "01_x", "x")
        page.running.parent.mkdir(parents=True)
        cells = [nbformat.v4.new_markdown_cell("# T")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), page.running)
        error = "no node\n\n" + "\n\n".join(ATTACKS).replace("\x00", "")
        publish(page, {"error": error, "parameters": {}}, root=tmp_path, told={})
        html = page.html(failed=True).read_text(encoding="utf-8")
        assert harms_in_page(html) == []
        assert "alert(1)" in words_of(html)

    def test_the_front_page_holds_no_tag_of_the_data_and_no_link_out_of_the_run(self, tmp_path: Path) -> None:
        notebooks = [
            {
                **dict.fromkeys(("name", "region", "title", "error", "status", "headline"), text),
                "html": f"html/{text}",
                "notebook": text,
            }
            for text in ATTACKS
        ]
        one = dict.fromkeys(
            ("table", "origin", "sha256", "column", "rule", "severity", "example", "remedy"), ""
        )
        rows = [dict.fromkeys(one, text) | {"count": 1, "rows_in": 1} for text in ATTACKS]
        checks = [{"notebook": text, "check": text, "passed": False, "detail": text} for text in ATTACKS]
        manifest = {"title": ATTACKS[10], "cycle": ATTACKS[11], "company": ATTACKS[12], "status": ATTACKS[13]}
        manifest |= {
            "started": ATTACKS[10],
            "notebooks": notebooks,
            "tables": rows,
            "findings": rows,
            "checks": checks,
        }
        assert harms_in_page(write_index(tmp_path, manifest).read_text(encoding="utf-8")) == []


class TestFigures:
    """matplotlib reads text between two dollar signs as a formula, and stops at one it cannot read."""

    @pytest.fixture
    def drawn(self) -> list[Any]:
        names = [*MATHS, *SIGNS, "<b>", "=1+1", "x" * 300]
        money = pd.DataFrame({"node": names, "target": 10_00.0, "field": 8_00.0})
        cross = pd.DataFrame({MATHS[0]: [1.0, 2.0], SIGNS[1]: [0.5, 1.5]}, index=[MATHS[1], SIGNS[0]])
        periods = pd.DataFrame({MATHS[0]: [1.0, 2.0], SIGNS[1]: [2.0, 1.0]}, index=["2026-10", "2026-11"])
        words = {"title": f"{MATHS[0]} {SIGNS[1]}", "note": f"{MATHS[1]} {SIGNS[0]}"}
        points = {"target": "target", "field": "field"}
        return [
            figures.dumbbell(money, rows="node", points=points, number="field", **words),
            figures.heat(cross, **words),
            figures.lines(periods, **words),
        ]

    def test_names_are_drawn_as_they_are_written(self, drawn: list[Any]) -> None:
        for axes in drawn:
            data, _ = figures.figure_bundle(axes, " ".join(ATTACKS))
            assert data["image/png"]
            texts = [text for text in axes.get_figure().findobj(Text) if text.get_text()]
            assert any("frac" in text.get_text() or "href" in text.get_text() for text in texts)
            assert not any(text.get_parse_math() and "$" in text.get_text() for text in texts)
            assert not any(HIDDEN.search(text.get_text()) for text in texts)
        assert mpl.rcParams["text.parse_math"] is True  # nothing was set for others


class TestFilesAndFolders:
    @pytest.mark.parametrize("node", [*ATTACKS, "\x00", "a\x00b", "𐐀" * 200, "a.", "-", "~"])
    def test_an_edition_is_one_plain_file_name_on_every_system(self, node: str, tmp_path: Path) -> None:
        name = edition_name("review", node)
        assert re.fullmatch(r"review-[\w.-]+", name)
        assert not name.endswith(".")
        assert len(f"10_{name}.failed.ipynb".encode()) <= 240
        file = tmp_path / f".new-10_{name}.failed.html"
        file.write_text("")
        assert file.resolve().parent == tmp_path.resolve()

    def test_two_nodes_have_two_names(self) -> None:
        names = [edition_name("review", node) for node in ("a/b", "a\\b", "a:b", "a-b", "x" * 300, "x" * 301)]
        assert len(set(names)) == len(names)

    def test_a_desk_keeps_its_tables_in_its_own_folder(self, desk: Desk) -> None:
        tables = desk.root / "outputs" / "hostile" / CYCLE / "tables"
        assert desk.folder.parent == tables
        assert desk.folder.resolve() == tables.resolve() / desk.folder.name
        frame = frame_of_attacks()
        assert desk.keep(attacks=frame, by_node=frame.set_index("node")) == ["attacks.csv", "by_node.csv"]
        assert all(harms_in_csv(file.read_text(encoding="utf-8")) == [] for file in desk.folder.glob("*.csv"))
        kept = desk.kept(desk.folder.name, "attacks")
        assert kept is not None
        assert kept["node"].tolist()[:2] == list(ATTACKS[:2])

    @pytest.mark.parametrize("name", PATHS[:3])
    def test_a_source_outside_the_data_folder_is_refused_by_name(self, name: str, desk: Desk) -> None:
        with pytest.raises(SourceError, match=r"outside the data folder|There is no file"):
            load_table(
                "notes",
                TableSource(file=name),
                desk.root / "data" / "hostile",
                calendar=desk.calendar,
                per_unit=100,
            )
        assert shown_from(Path("/a"), Path("/b")) == "/a"


class TestReading:
    def test_hostile_rows_are_used_or_found_and_none_vanishes(self, desk: Desk) -> None:
        for table in desk.tables.values():
            assert table.rows_in == len(table.rows) + rejected_rows(table.findings), table.table
        assert set(SELLERS[:4]) <= set(desk.tree.leaves)
        words = [desk.table(name).select_dtypes("str").melt()["value"] for name in ("notes", "decisions")]
        texts = pd.concat(words).dropna()
        assert not texts.str.contains(HIDDEN).any()
        rules = desk.tables["notes"].findings["rule"]
        assert rules.str.startswith("control characters").any()

    @pytest.mark.parametrize("quote", ["", '"'])
    def test_a_cell_of_ten_megabytes_is_named_and_left_out(
        self, quote: str, tmp_path: Path, desk: Desk
    ) -> None:
        long = quote + "x" * 10_000_000 + quote
        loaded = self.notes(tmp_path, desk, [long, "fine", "y" * (LONGEST_TEXT + 1)])
        assert loaded.rows["text"].str.len().tolist() == [4, LONGEST_TEXT]
        assert loaded.findings["rule"].tolist() == ["a cell has too many characters", "text is too long; cut"]
        assert loaded.findings["severity"].tolist() == ["rejected", "noted"]
        assert loaded.findings["value"].str.len().max() <= LONGEST_VALUE

    def notes(self, folder: Path, desk: Desk, texts: list[str]) -> Any:
        lines = [f"N{at},{SELLERS[3]},topic,{text},me,2026-10-01" for at, text in enumerate(texts)]
        file = folder / "notes.csv"
        file.write_text("\n".join(["note,node,topic,text,author,written_at", *lines]))
        return load_table(
            "notes", TableSource(file="notes.csv"), folder, calendar=desk.calendar, per_unit=100
        )

    def test_an_endless_heading_a_nul_and_a_bomb_are_refused_by_name(
        self, tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import gzip

        monkeypatch.setattr(source_text, "LARGEST", 1_000_000)
        for name, content, words in (
            ("heading.csv", b"node," + b"x" * 200_000 + b"\nn,1\n", "A heading has more than"),
            ("nul.csv", b"node,text\nn,a\x00b\n", "not text"),
            ("bomb.csv.gz", gzip.compress(b"0" * 1_000_001), "more than 1,000,000 bytes"),
            ("large.csv", b"0" * 1_000_001, "more than 1,000,000 bytes"),
        ):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(SourceError, match=words) as refusal:
                load_table("notes", TableSource(file=name), tmp_path, calendar=desk.calendar, per_unit=100)
            assert name in str(refusal.value)


@pytest.fixture(scope="module")
def committed(desk: Desk) -> Desk:
    cells = pd.DataFrame(
        {"node": list(SELLERS[:4]), "period": "2026-10", "measure": "revenue", "value": [-5, 1, 2, 3]}
    )
    desk.ledger.commit("submission", cells, author=FORMULAS[0], message="\n".join(ATTACKS))
    return desk


class TestLedgerAndTerminal:
    def test_csv_of_the_ledger_is_for_people_and_parquet_is_exact(
        self, committed: Desk, tmp_path: Path
    ) -> None:
        csvs = committed.ledger.export(tmp_path / "csv", csv=True)
        assert all(harms_in_csv(file.read_text(encoding="utf-8")) == [] for file in csvs)
        exact = committed.ledger.export(tmp_path / "parquet")
        commits = pd.concat([pd.read_parquet(file) for file in exact if file.stem == "commits"])
        assert commits["author"].tolist() == [FORMULAS[0]]
        assert commits["message"].tolist() == ["\n".join(ATTACKS)]

    @pytest.mark.parametrize("more", [["--csv"], []])
    def test_what_a_command_prints_moves_no_cursor_and_runs_nothing(
        self, more: list[str], committed: Desk
    ) -> None:
        done = CliRunner().invoke(app, ["ledger", "log", str(committed.ledger_file), *more])
        assert done.exit_code == 0, done.output
        assert not HIDDEN.search(done.output)
        if more:
            assert harms_in_csv(done.output) == []

    def test_a_refusal_shows_what_it_refuses_and_nothing_hidden(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from spms_lib.cli.show import refuse

        for text in ATTACKS:
            refuse(SpmsError(text, where=text, remedy=text))
        assert not HIDDEN.search(capsys.readouterr().err)


@pytest.mark.skipif(
    "SPMS_SOAK" not in os.environ, reason="a whole cycle of a hostile company runs under make soak"
)
def test_a_whole_cycle_of_a_hostile_company_leaves_only_harmless_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toys import ROOT

    monkeypatch.setenv("SPMS_AUTHOR", FORMULAS[1])
    monkeypatch.setenv("SPMS_ROOT", str(tmp_path))
    monkeypatch.delenv("SPMS_OUT", raising=False)
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    result = run_cycle(write_company(tmp_path), jobs=2)
    assert result.exit_code == 0, result.manifest["notebooks"]
    check_outputs(tmp_path / "outputs" / "hostile" / CYCLE)
    assert {path.name for path in tmp_path.iterdir()} == {"params", "data", "notebooks", "outputs"}


def check_outputs(folder: Path) -> None:
    """Judge every file of a run by its kind."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert all(re.fullmatch(r"[\w.-]+", path.name) for path in files)
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            assert harms_in_page(text) == [], path
        elif path.suffix == ".csv":
            assert harms_in_csv(text) == [], path
        elif path.suffix == ".ipynb":
            for cell in json.loads(text)["cells"]:
                for output in cell.get("outputs", []):
                    html = "".join(output.get("data", {}).get("text/html", ""))
                    assert harms_in_page(html) == [], path
