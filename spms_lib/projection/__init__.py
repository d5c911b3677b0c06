"""Projection: the coherent numbers closest to all estimates, within holds, bounds and cuts. One problem, exact answers.

    minimise    sum over nodes of (x - estimate)^2 / variance
    subject to  every parent equals the sum of its children
                lower <= x <= upper at any node (a hold is lower = upper), and any further linear cut

Cascades, edits and reconciliation are this problem with different variances. `solve` looks at what is asked and takes
the quickest method that is exact for it.
"""

from spms_lib.projection.problem import Answer, Certificate, Cut, Problem, Structure, WithCuts
from spms_lib.projection.solve import solve

__all__ = ["Answer", "Certificate", "Cut", "Problem", "Structure", "WithCuts", "solve"]
