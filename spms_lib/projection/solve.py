"""Choose the quickest method that is exact for a problem."""

import numpy as np

from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.projection.contradictions import general_contradiction, refuse, tree_contradictions
from spms_lib.projection.factors import solve_sampled, solve_with_factors
from spms_lib.projection.general import solve_general
from spms_lib.projection.on_tree import solve_with_bounds, solve_with_holds
from spms_lib.projection.problem import Answer, Problem, Structure
from spms_lib.projection.separable import solve_separable, split_variance


def solve(structure: Structure, problem: Problem) -> Answer:
    """Find the coherent values closest to the estimates, within all limits.

    Parameters
    ----------
    structure
        A `Hierarchy`, a `Crossed`, or one of them `WithCuts`.
    problem
        Estimates, variances and limits.

    Raises
    ------
    InfeasibleError
        If limits contradict each other, naming a smallest set of them and the numbers to change.

    Examples
    --------
    >>> import pandas as pd
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> asked = Problem(np.array([[90.0], [40.0], [40.0]]), np.array([[0.0], [1.0], [3.0]]))
    >>> solve(tree, asked).values.ravel().tolist()
    [90.0, 42.5, 47.5]
    """
    if problem.sampled:
        return solve_sampled(structure, problem)
    if problem.factors is not None:
        return solve_with_factors(structure, problem, solve)
    limited = bool(problem.held.any()) or problem.bounded
    if limited:
        _refuse_contradictions(structure, problem)
    if isinstance(structure, Hierarchy):
        method = solve_with_bounds if problem.bounded else solve_with_holds
        return method(structure, problem)
    if isinstance(structure, Crossed) and not limited:
        parts = split_variance(structure, problem.variance)
        if parts is not None:
            return solve_separable(structure, problem, parts)
    return solve_general(structure, problem)


def _refuse_contradictions(structure: Structure, problem: Problem) -> None:
    """Name limits that cannot all be met, before anything is solved."""
    lower, upper = problem.limits()
    if isinstance(structure, Hierarchy):
        found = tree_contradictions(structure, lower, upper)
    else:
        right = np.zeros(structure.rows.shape[0])
        each = (
            general_contradiction(structure.rows, right, lower[:, h], upper[:, h], column=h)
            for h in range(lower.shape[1])
        )
        found = [one for one in each if one is not None]
    if found:
        places = {limit.position for one in found for limit in one.members} | {one.node or 0 for one in found}
        names = {place: structure.label(place) for place in places}
        columns = problem.columns or [f"column {h}" for h in range(lower.shape[1])]
        refuse(found, names, columns)
