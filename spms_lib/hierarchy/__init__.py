"""What adds up to what: the sales organisation as one immutable tree of arrays, and trees crossed with each other."""

from spms_lib.hierarchy.check import check_hierarchy
from spms_lib.hierarchy.crossed import Crossed
from spms_lib.hierarchy.tree import Hierarchy

__all__ = ["Crossed", "Hierarchy", "check_hierarchy"]
