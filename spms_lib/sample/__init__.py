"""A made-up company with a known truth, for the tutorial, the notebooks, tests and benchmarks."""

from spms_lib.sample.build import build_sample
from spms_lib.sample.dirt import DIRT, Dirt

__all__ = ["DIRT", "Dirt", "build_sample"]
