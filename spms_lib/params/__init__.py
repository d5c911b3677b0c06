"""What a run is told: YAML files checked before anything starts."""

from spms_lib.params.company import Company
from spms_lib.params.cycle import Cycle
from spms_lib.params.describe import compare, describe
from spms_lib.params.load import load_company, load_cycle

__all__ = ["Company", "Cycle", "compare", "describe", "load_company", "load_cycle"]
