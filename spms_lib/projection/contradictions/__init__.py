"""Holds and bounds that cannot all be met, named before anything is solved.

A limit is a hold, a lower bound (floor) or an upper bound (cap) on one number.
A contradiction is a set of limits that no plan can meet and of which none is
idle: lift any one and the rest of the set can be met.

On a tree, what a node can be is an interval: the sum of its children's intervals,
cut by its own bounds. One pass from the leaves up decides the whole question.
For any other structure a linear program decides, and its multipliers say which
bounds are at odds (Farkas' lemma).
"""

from spms_lib.projection.contradictions.anywhere import general_contradiction
from spms_lib.projection.contradictions.limits import Contradiction, Limit
from spms_lib.projection.contradictions.on_trees import tree_contradictions
from spms_lib.projection.contradictions.words import refuse

__all__ = ["Contradiction", "Limit", "general_contradiction", "refuse", "tree_contradictions"]
