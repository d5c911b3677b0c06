"""A figure as a picture with a description: for sharp screens, for paper, for a screen reader."""

import base64
import io
import sys

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spms_lib.errors import ParamsError
from spms_lib.report.figures.style import PRINT_DPI, SCREEN_DPI, style


def figure_bundle(figure: Axes | Figure, alt: str) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    """Turn a figure into display data: the PNG, and its description as text and as alt text.

    Returns
    -------
    tuple
        Data by MIME type (PNG in base64, and text), and metadata by MIME type with
        `alt`, and width and height in screen pixels. The same figure gives the same bytes.

    Raises
    ------
    ParamsError
        If the description is empty.
    """
    words = " ".join(alt.split())
    if not words:
        raise ParamsError(
            "A figure needs a description for people who cannot see it.",
            where="display_figure, alt",
            remedy="Say in one sentence what the figure shows.",
        )
    drawn = _figure(figure)
    width, height = (round(float(inches) * SCREEN_DPI) for inches in drawn.get_size_inches())
    data = {"image/png": base64.b64encode(png(drawn)).decode("ascii"), "text/plain": f"[Figure: {words}]"}
    return data, {"image/png": {"alt": words, "width": width, "height": height}}


def display_figure(figure: Axes | Figure, alt: str) -> None:
    """Show a figure in a notebook with its description, and close it.

    Parameters
    ----------
    alt
        One or two sentences: what is shown, and what it says.
    """
    from IPython.display import display

    data, metadata = figure_bundle(figure, alt)
    display(data, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(_figure(figure))


def png(figure: Figure) -> bytes:
    """Draw a figure as a small PNG of `PRINT_DPI`; nothing in it depends on the day or the version."""
    from PIL import Image

    raw = io.BytesIO()
    with style():
        figure.savefig(raw, format="png", dpi=PRINT_DPI, metadata={"Software": None})
    picture = Image.open(raw).convert("RGB")
    small = picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    out = io.BytesIO()
    small.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _figure(figure: Axes | Figure) -> Figure:
    if isinstance(figure, Figure):
        return figure
    found = figure.get_figure(root=True)
    if not isinstance(found, Figure):
        raise ParamsError("These axes belong to no figure any more.", remedy="Draw them again.")
    return found
