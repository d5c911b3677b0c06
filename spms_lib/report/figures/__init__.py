"""Figures of the review: each takes a computed frame, draws on optional Axes, and returns them."""

from spms_lib.report.figures.compare import bridge, dumbbell
from spms_lib.report.figures.fairness import scatter_fairness
from spms_lib.report.figures.feasibility import chances, difficulty_strip
from spms_lib.report.figures.gaming import bunching_bars
from spms_lib.report.figures.goals import coverage_bars, layer_marks
from spms_lib.report.figures.intervals import intervals
from spms_lib.report.figures.pay import attainment_histogram, payout_curve
from spms_lib.report.figures.periods import lines, pace
from spms_lib.report.figures.plan import gaming_surface
from spms_lib.report.figures.plan_cost import cost_spread, pay_and_chances, winners_and_losers
from spms_lib.report.figures.resources import allocation_bars, capacity_columns
from spms_lib.report.figures.shown import display_figure, figure_bundle
from spms_lib.report.figures.style import MEANINGS, Meaning, meaning, style
from spms_lib.report.figures.tree import cascade_bars, heat
from spms_lib.report.figures.truth import forecast_pay, report_payoffs

__all__ = [
    "MEANINGS",
    "Meaning",
    "allocation_bars",
    "attainment_histogram",
    "bridge",
    "bunching_bars",
    "capacity_columns",
    "cascade_bars",
    "chances",
    "cost_spread",
    "coverage_bars",
    "difficulty_strip",
    "display_figure",
    "dumbbell",
    "figure_bundle",
    "forecast_pay",
    "gaming_surface",
    "heat",
    "intervals",
    "layer_marks",
    "lines",
    "meaning",
    "pace",
    "pay_and_chances",
    "payout_curve",
    "report_payoffs",
    "scatter_fairness",
    "style",
    "winners_and_losers",
]
