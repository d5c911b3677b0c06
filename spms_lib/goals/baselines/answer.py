"""Answer: forecasts with their uncertainty, the choice behind each, and the errors of the past."""

from dataclasses import dataclass

import pandas as pd

from spms_lib.tables import NODE, PERIOD, SOURCE, VALUE, VARIANCE, to_long


@dataclass(frozen=True, slots=True, eq=False)
class Baselines:
    """What history alone says of every node and month, how sure that is, and why.

    Attributes
    ----------
    forecast
        Nodes x months, float minor units; missing where nobody can tell.
    deviation
        Nodes x months: standard deviation of the forecast's error, minor units, at least 1; from the node's own past
        windows, or from those of its group where it has too few. Missing where there is neither.
    lower, upper
        Nodes x months: the prediction interval, minor units; not below zero where a node never sold less.
    choice
        One row per node: node, kind (regular, sparse, short, unseen), months (known without a gap), zero_ratio, model,
        windows (compared), measure (`wape`, or `rmse ratio`: root of squared errors over squared actuals), error
        (the model's), house_error (the house's), next_model and next_error (best of the others), evidence (of the
        deviation: node, group or none), reason.
    errors
        One row per node and model that was compared: node, model, error, score (error shrunk towards the group's; the
        smallest is chosen).
    residuals
        Columns node, period, value: forecast minus actual in past windows, minor units, each by the model that the
        other windows would have chosen, so that the choice does not flatter itself. As `MinT` and `WlsVar` take them.
    """

    forecast: pd.DataFrame
    deviation: pd.DataFrame
    lower: pd.DataFrame
    upper: pd.DataFrame
    choice: pd.DataFrame
    errors: pd.DataFrame
    residuals: pd.DataFrame

    @property
    def variance(self) -> pd.DataFrame:
        """Nodes x months: variance of the forecast's error, minor units squared."""
        return self.deviation**2

    @property
    def estimates(self) -> pd.DataFrame:
        """Forecasts as estimates to reconcile: columns node, period, source (`baseline`), value, variance.

        Cells without a forecast are left out; a variance that nobody knows is missing.
        """
        rows = to_long(self.forecast).assign(**{SOURCE: "baseline"})
        known = to_long(self.variance, value=VARIANCE)
        return rows.merge(known, on=[NODE, PERIOD], how="left")[[NODE, PERIOD, SOURCE, VALUE, VARIANCE]]

    @property
    def common_residuals(self) -> pd.DataFrame:
        """Residuals of the periods in which every node that has any has one: what a full covariance needs."""
        nodes = self.residuals[NODE].nunique()
        everywhere = self.residuals.groupby(PERIOD)[NODE].transform("nunique") == nodes
        return self.residuals[everywhere].reset_index(drop=True)

    @property
    def mix(self) -> pd.DataFrame:
        """How many nodes each model forecasts, by kind: rows kind, columns model."""
        return pd.crosstab(self.choice["kind"], self.choice["model"]).rename_axis(columns=None)
