"""The page in a real browser, where there is one."""

import shutil
import struct
import subprocess

import pytest

from spms_lib.report.html import export_html

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on this machine")
@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_is_drawn_at_desk_and_phone_width(width, notebook_file, tmp_path):
    from PIL import Image

    page = export_html(notebook_file, tmp_path / "page.html", title="Review of the toy company")
    picture = tmp_path / "page.png"
    subprocess.run(
        [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}",
         f"--window-size={width},1600", page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert struct.unpack(">I", picture.read_bytes()[16:20]) == (width,)
    drawn = Image.open(picture).convert("L")
    assert drawn.resize((1, 1)).getpixel((0, 0)) > 200  # dark on light
    assert drawn.crop((0, 0, width, 120)).getextrema()[0] < 60  # the title is there
    margin = drawn.crop((width - 8, 0, width, 1600))
    assert margin.getextrema()[0] > 200  # nothing runs off the side of the page
