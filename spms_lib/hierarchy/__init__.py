"""The sales organisation as one immutable tree of arrays."""

from spms_lib.hierarchy.check import check_hierarchy
from spms_lib.hierarchy.tree import Hierarchy

__all__ = ["Hierarchy", "check_hierarchy"]
