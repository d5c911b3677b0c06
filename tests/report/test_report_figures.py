import base64
import io
import struct
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from spms_lib.errors import CheckError, ParamsError, TableError
from spms_lib.incentives.plan.points import curve_points
from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.plan.surface import surface
from spms_lib.report import figures
from spms_lib.report.figures import MEANINGS, style
from spms_lib.report.figures.canvas import apart

NODES = pd.DataFrame(
    {
        "node": ["co", "n", "s", "w"],
        "parent": [None, "co", "co", "co"],
        "level": ["company", "region", "region", "region"],
        "name": ["Company", "North", "South of the country with a long name", "West $ & co_x"],
        "value": [100_000_00, 60_000_00, 30_000_00, 10_000_00],
        "field": [90_000_00, 50_000_00, np.nan, 12_000_00],
    }
)
STEPS = pd.DataFrame(
    {
        "label": ["Field", "Overrides", "Baseline", "Plan"],
        "value": [100_00.0, 30_00.0, -50_00.0, 80_00.0],
        "kind": ["total", "change", "change", "total"],
    }
)
PACE = pd.DataFrame(
    {
        "date": pd.date_range("2026-10-04", periods=6, freq="W"),
        "plan": [1e6, 2e6, 3e6, 4e6, 5e6, 6e6],
        "actual": [0.8e6, 1.9e6, 2.5e6, np.nan, np.nan, np.nan],
        "low": [np.nan, np.nan, 2.5e6, 3e6, 3.5e6, 4e6],
        "high": [np.nan, np.nan, 2.5e6, 4e6, 5e6, 6.5e6],
    }
)
ATTAINMENT = pd.Series([0.3, 0.85, 0.95, 1.0, 1.1, 1.3, 2.7, np.nan])
CURVE = pd.DataFrame(
    {"attainment": [0.0, 0.5, 1.0, 2.0], "payout": [0, 0.25, 1.0, 3.0], "rate": [0.5, 1.5, 2.0, 2.0]}
)
SIZES = pd.DataFrame(
    {"size": [1e6, 2e6, 3e6, 4e6, 5e6], "attainment": [1.2, 1.1, 1.0, 0.9, np.nan], "who": list("abcde")}
)
SERIES = pd.DataFrame(
    {"field": [0.2, 0.1, np.nan], "other": [0.1, 0.1, 0.1]}, index=["2026Q1", "2026Q2", "2026Q3"]
)
LAYERS = pd.DataFrame(
    {
        "layer": ["board", "plan", "street"],
        "amount": [90_000_00, 100_000_00, 105_000_00],
        "confidence": [0.9, 0.5, np.nan],
        "chance": [0.85, np.nan, 0.2],
    }
)
LIKELY = pd.DataFrame(
    {"amount": [80e5, 90e5, 100e5, 120e5], "density": [0.1, 0.8, 1.0, 0.1], "chance": [0.95, 0.85, 0.5, 0.05]}
)
COVERAGE = pd.DataFrame(
    {"goal": ["grow", "keep", "(no goal)"], "share": [0.6, 0.1, 0.3], "weight": [0.5, 0.5, 0.0]}
)

WHISKERS = pd.DataFrame(
    {
        "level": ["company", "company", "region", "region"],
        "source": ["target", "field", "target", "field"],
        "wape": [0.05, 0.04, 0.10, 0.12],
        "low": [0.03, 0.02, np.nan, 0.10],
        "high": [0.07, 0.06, np.nan, 0.14],
        "mark": ["", "best, chance 80%", "best", ""],
    }
)
WHISKER_COLUMNS = {
    "group": "level", "row": "source", "value": "wape", "low": "low", "high": "high", "mark": "mark",
}  # fmt: skip

BINS = pd.DataFrame(
    {
        "start": [0.96, 0.97, 0.98, 0.99, 1.0, 1.01, 1.02],
        "stop": [0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03],
        "observed": [9, 10, 4, 2, 30, 11, 9],
        "expected": [9.5, 9.6, 9.7, 9.7, 9.7, 9.6, 9.5],
        "low": 4.0,
        "high": 16.0,
        "at_edge": [False, False, True, True, True, True, False],
    }
)
EDGES = pd.DataFrame({"edge": [1.0], "label": ["41 seen, 19 expected"]})

JUMPY = plan_from_dict(
    {
        "plan": "jumpy", "currency": "EUR", "effective_from": "2026-01-01",
        "components": [{
            "component": "pay", "measure": {"value": "amount"}, "interval": "quarter", "weight": 1, "unit": "attainment",
            "pays": "target_incentive", "tie": "upper", "threshold": "50 %", "cap": {"value": 2, "of": "target_incentive"},
            "tiers": [[0, 1, 1], [1, "1.2", "0.5"], ["1.2", None, 2]],
        }],
    }
)  # fmt: skip
YEARLY = {"quota": 400_000, "target_incentive": 40_000}

DRAWN = {
    "gaming_surface": lambda ax=None: figures.gaming_surface(
        curve_points(JUMPY, "pay", **YEARLY), surface(JUMPY, **YEARLY), ax=ax
    ),
    "bunching_bars": lambda ax=None: figures.bunching_bars(BINS, EDGES, ax=ax),
    "intervals": lambda ax=None: figures.intervals(WHISKERS, **WHISKER_COLUMNS, note="toy", ax=ax),
    "dumbbell": lambda ax=None: figures.dumbbell(
        NODES, rows="name", points={"target": "value", "field": "field"}, number="target", ax=ax
    ),
    "bridge": lambda ax=None: figures.bridge(STEPS, ax=ax),
    "cascade_bars": lambda ax=None: figures.cascade_bars(NODES, name="name", ax=ax),
    "pace": lambda ax=None: figures.pace(PACE, low="low", high="high", ax=ax),
    "attainment_histogram": lambda ax=None: figures.attainment_histogram(ATTAINMENT, ax=ax),
    "payout_curve": lambda ax=None: figures.payout_curve(CURVE, marginal="rate", mark=1.1, ax=ax),
    "scatter_fairness": lambda ax=None: figures.scatter_fairness(SIZES, name="who", ax=ax),
    "lines": lambda ax=None: figures.lines(SERIES, ratio=True, ax=ax),
    "layer_marks": lambda ax=None: figures.layer_marks(LAYERS, LIKELY, ax=ax),
    "coverage_bars": lambda ax=None: figures.coverage_bars(COVERAGE, ax=ax),
    "heat": lambda ax=None: figures.heat(
        SERIES.T + 0.9, depth=pd.Series([0, 1], index=["field", "other"]), note="toy", ax=ax
    ),
}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_every_public_figure_is_tried_here():
    elsewhere = {
        "chances",
        "difficulty_strip",
        "capacity_columns",
        "allocation_bars",  # these four: see the feasibility figures
        "report_payoffs",
        "forecast_pay",  # test_report_truth_figures
        "cost_spread",
        "pay_and_chances",
        "winners_and_losers",  # test_report_plan_cost
    }
    assert set(DRAWN) | elsewhere == set(figures.__all__) - {
        "MEANINGS", "Meaning", "meaning", "style", "display_figure", "figure_bundle",
    }  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_900_pixels_wide_sharp_and_the_same_twice(name):
    data, metadata = figures.figure_bundle(DRAWN[name](), "what it shows")
    raw = base64.b64decode(data["image/png"])
    width, height = struct.unpack(">II", raw[16:24])
    assert (width, metadata["image/png"]["width"]) == (1800, 900)
    assert height == 2 * metadata["image/png"]["height"]
    assert len(raw) < 60_000
    assert b"Software" not in raw
    assert raw == base64.b64decode(figures.figure_bundle(DRAWN[name](), "what it shows")[0]["image/png"])


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_draws_on_the_axes_it_is_given_and_changes_no_setting(name):
    before = dict(mpl.rcParams)
    ax = Figure().add_subplot()
    assert DRAWN[name](ax) is ax
    assert ax.get_title(loc="left")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_states_what_it_shows_and_draws_inside_its_frame(name):
    ax = DRAWN[name]()
    figure = ax.figure
    figure.canvas.draw()
    assert figure.get_suptitle()
    box = figure.get_tightbbox()
    assert box.x0 > -0.05
    assert box.x1 < figure.get_size_inches()[0] + 0.05
    assert box.y0 > -0.05
    assert box.y1 < figure.get_size_inches()[1] + 0.05


def test_importing_the_figures_sets_nothing():
    before = dict(mpl.rcParams)
    for module in [name for name in sys.modules if name.startswith("spms_lib.report.figures")]:
        del sys.modules[module]
    import spms_lib.report.figures  # noqa: F401

    assert dict(mpl.rcParams) == before


def test_settings_come_back_even_after_an_error():
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError), style():
        _ = 1 / 0
    assert dict(mpl.rcParams) == before


def test_a_colour_and_a_shape_mean_one_thing():
    assert len({one.colour for one in MEANINGS.values()}) == len(MEANINGS)
    assert len({one.marker for one in MEANINGS.values()}) == len(MEANINGS)


def test_the_plan_has_the_same_colour_in_every_figure():
    points = figures.dumbbell(NODES, rows="name", points={"plan": "value"}).collections[-1]
    along = figures.pace(PACE).lines[0]
    by_period = figures.lines(SERIES, meanings={"other": "plan"}).lines[1]
    assert {to_hex(points.get_facecolor()[0]), to_hex(along.get_color()), to_hex(by_period.get_color())} == {
        MEANINGS["plan"].colour.lower()
    }


def test_gains_are_good_losses_are_bad_and_totals_are_neither():
    colours = [to_hex(bar.get_facecolor()).upper() for bar in figures.bridge(STEPS).patches]
    assert colours == [MEANINGS[one].colour for one in ("baseline", "good", "bad", "baseline")]


def test_words_on_white_are_dark_enough():
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    assert max(light(one.ink) for one in MEANINGS.values()) <= 1.05 / 4.5 - 0.05


def test_a_bridge_that_does_not_add_up_is_refused():
    wrong = STEPS.assign(value=[100_00.0, 30_00.0, -50_00.0, 90_00.0])
    with pytest.raises(CheckError, match=r"add up to 8,000 minor units, not to 9,000"):
        figures.bridge(wrong)


def test_a_bridge_fills_in_its_last_total():
    ax = figures.bridge(STEPS.assign(value=[100_00.0, 30_00.0, -50_00.0, None]))
    assert texts(ax)[-1] == "€80"


def test_a_cut_axis_says_so():
    ax = figures.bridge(STEPS.assign(value=[1000_00.0, 30_00.0, -50_00.0, None]))
    assert ax.get_xlim()[0] > 0
    assert ax.figure.get_supxlabel() == "The axis does not start at zero."


def test_a_missing_estimate_is_not_drawn_as_zero():
    ax = figures.dumbbell(NODES, rows="name", points={"field": "field"})
    drawn = np.ma.filled(ax.collections[-1].get_offsets()[:, 0].astype(float), np.nan)
    assert np.isnan(drawn[2])
    assert np.nanmin(drawn) > 0


def test_rows_left_out_are_counted():
    ax = figures.dumbbell(NODES, rows="name", points={"field": "field"}, most=3)
    assert ax.figure.get_supxlabel() == "3 of 4 shown."


def test_bands_count_every_payee_once():
    said = [
        text
        for text in texts(figures.attainment_histogram(ATTAINMENT))
        if "\n" in text and "more" not in text
    ]
    assert [int(text.split("\n")[0]) for text in said] == [1, 2, 2, 2]


def test_those_without_quota_are_counted_not_drawn():
    ax = figures.attainment_histogram(ATTAINMENT)
    assert sum(bar.get_height() for bar in ax.patches) == 7
    assert "1 without a quota" in ax.figure.get_supxlabel()


def test_shares_of_a_parent_fill_its_bar():
    ax = figures.cascade_bars(NODES, name="name")
    assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(1.0)


def test_negative_shares_are_refused():
    with pytest.raises(TableError, match="cannot be negative"):
        figures.cascade_bars(NODES.assign(value=[10, 20, -10, 0]))


def test_pace_says_how_far_behind_plan():
    assert "Actual €25K\n€5K behind plan" in texts(figures.pace(PACE))


def test_each_tier_prints_its_rate_once():
    said = [text for text in texts(figures.payout_curve(CURVE, marginal="rate")) if text.startswith("rate")]
    assert said == ["rate 0.50", "rate 1.50", "rate 2.00"]


def test_fairness_says_whether_size_matters():
    exact = pd.DataFrame({"size": [1e6, 2e6, 3e6, 4e6, 5e6], "attainment": [1.2, 1.11, 1.0, 0.9, 0.8]})
    note = figures.scatter_fairness(exact).figure.get_supxlabel()
    assert note == "Attainment falls with size. Band: 95% interval of the line."
    even = exact.assign(attainment=[1.0, 1.1, 0.9, 1.1, 0.99])
    assert "No dependence" in figures.scatter_fairness(even).figure.get_supxlabel()


def test_the_heat_prints_a_dash_where_nobody_had_a_quota():
    assert texts(figures.heat(SERIES.T)).count("–") == 1


def test_labels_keep_their_distance_and_order():
    places = apart([3.0, 1.0, 1.1, 1.2], 0.5)
    assert places == pytest.approx([3.0, 0.6, 1.1, 1.6])


def test_an_empty_frame_is_refused():
    with pytest.raises(TableError, match="nothing to draw"):
        figures.pace(PACE.head(0))


def test_a_misspelt_meaning_is_refused_with_the_nearest_one():
    with pytest.raises(ParamsError, match="Did you mean 'target'"):
        figures.dumbbell(NODES, rows="name", points={"targets": "value"})


def test_a_figure_needs_a_description():
    with pytest.raises(ParamsError, match="needs a description"):
        figures.figure_bundle(DRAWN["bridge"](), "  ")


def test_display_shows_the_description_and_closes_the_figure(monkeypatch):
    mpl.use("agg")
    import matplotlib.pyplot as plt

    sent = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: sent.append((data, options)))
    _, ax = plt.subplots()
    figures.display_figure(figures.bridge(STEPS, ax=ax), "From field to plan.")
    data, options = sent[0]
    assert data["text/plain"] == "[Figure: From field to plan.]"
    assert options["metadata"]["image/png"]["alt"] == "From field to plan."
    assert plt.get_fignums() == []


def test_dollar_signs_in_names_are_money_not_formulas():
    raw = io.BytesIO()
    ax = figures.dumbbell(
        NODES.assign(name=["a $1", "b $2 $ x_y^", "c", "d"]),
        rows="name",
        points={"target": "value"},
        currency="USD",
    )
    ax.figure.savefig(raw, format="png")
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())


def test_layers_say_what_is_stated_and_what_is_computed_and_only_what_is_known():
    said = [text.strip() for text in texts(figures.layer_marks(LAYERS, LIKELY))]
    assert said == [
        "Board €90K · stated 90%, computed 85%",
        "Plan €100K · stated 50%",
        "Street €105K · computed 20%",
    ]


def test_layers_stand_at_their_amounts_and_leave_room_for_their_words():
    ax = figures.layer_marks(LAYERS, LIKELY)
    marks = [line.get_xdata()[0] for line in ax.lines if line.get_marker() not in {"None", ""}]
    assert marks == LAYERS["amount"].tolist()
    low, high = ax.get_xlim()
    assert (max(marks) - low) / (high - low) <= 0.58


def test_layers_without_history_are_marks_alone_and_say_so():
    ax = figures.layer_marks(LAYERS, LIKELY.head(0))
    assert not ax.collections
    assert "too little history" in ax.figure.get_supxlabel()


def test_coverage_prints_the_gap_and_marks_no_weight_where_nothing_is_asked():
    ax = figures.coverage_bars(COVERAGE)
    assert texts(ax) == ["Gap", "+10%", "−40%", "+30%"]
    assert [patch.get_width() for patch in ax.patches] == [0.6, 0.1, 0.3]
    assert ax.collections[0].get_offsets()[:, 0].tolist() == [0.5, 0.5]


def test_a_row_with_unknown_ends_has_a_dot_and_no_whisker_and_the_marked_row_is_bold_and_named():
    ax = figures.intervals(WHISKERS, **WHISKER_COLUMNS, names={"field": "bottom-up"})
    whiskers = [
        line.get_segments()[0][:, 0].tolist() for line in ax.collections if hasattr(line, "get_segments")
    ]
    assert whiskers == [[0.03, 0.07], [0.02, 0.06], [0.10, 0.14]]
    labels = [(label.get_text(), label.get_fontweight()) for label in ax.get_yticklabels()]
    assert labels == [
        ("Target", "normal"),
        ("bottom-up", "bold"),
        ("Target", "bold"),
        ("bottom-up", "normal"),
    ]
    assert texts(ax) == ["company", "best, chance 80%", "region", "best"]
    turned = figures.intervals(WHISKERS, **WHISKER_COLUMNS, groups=["region", "company", "team"])
    assert [text for text in texts(turned) if not text.startswith("best")] == ["region", "company"]


def test_the_figure_of_bunching_draws_every_count_and_says_what_was_seen_at_the_edge():
    ax = figures.bunching_bars(BINS, EDGES)
    assert [bar.get_height() for bar in ax.patches] == BINS["observed"].tolist()
    assert texts(ax) == ["100%\n41 seen, 19 expected"]
    near = {bar.get_facecolor() for bar, edge in zip(ax.patches, BINS["at_edge"], strict=True) if edge}
    away = {bar.get_facecolor() for bar, edge in zip(ax.patches, BINS["at_edge"], strict=True) if not edge}
    assert not near & away
