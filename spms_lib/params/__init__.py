"""What a run is told: YAML files checked before anything starts."""

from spms_lib.params.describe import compare, describe
from spms_lib.params.load import load_company, load_cycle
from spms_lib.params.models import Company, Cycle

__all__ = ["Company", "Cycle", "compare", "describe", "load_company", "load_cycle"]
