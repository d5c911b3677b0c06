"""Statistical baselines: for every node the model that was nearest in the past, and how far off it was."""

from spms_lib.goals.baselines.answer import Baselines
from spms_lib.goals.baselines.candidates import CANDIDATES
from spms_lib.goals.baselines.forecast import statistical_baseline
from spms_lib.goals.baselines.series import statsforecast_version

__all__ = ["CANDIDATES", "Baselines", "statistical_baseline", "statsforecast_version"]
