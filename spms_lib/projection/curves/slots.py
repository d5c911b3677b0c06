"""What the curves of a tree are made of: slots, where each node's lie, and room to work in."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CREDIT, VALUE, BASE, SLOPE = 0, 1, 2, 3
NO_JUMP = -1
ROUNDING = 2.0**-52


class Column(NamedTuple):
    """One column of the problem, each field of shape (n_nodes,)."""

    estimate: Floats
    variance: Floats
    lower: Floats
    upper: Floats


class Runs(NamedTuple):
    """Where each node's slots lie in an array of slots, each field of shape (n_nodes,).

    Attributes
    ----------
    start
        First slot.
    stop
        One past the last slot.
    jump
        Slot that ends in a jump, or `NO_JUMP`.
    zero
        Slot that holds just below credit 0.
    """

    start: Ints
    stop: Ints
    jump: Ints
    zero: Ints


class Answer(NamedTuple):
    """What the downward pass finds, each field of shape (n_nodes,).

    Attributes
    ----------
    value
        The node's value.
    price
        Marginal cost of the sum of its children.
    slope
        How much the value follows its credit; infinite while it stands on a jump.
    low
        Least value that the node can take, and all that lies below it.
    high
        Largest value, likewise.
    rest
        What the node comes to where nobody has asked for more or less: known parts at their best, a silent leaf at 0.
    """

    value: Floats
    price: Floats
    slope: Floats
    low: Floats
    high: Floats
    rest: Floats


class Room(NamedTuple):
    """Slots that are used again for every column, each field of shape (n_slots, 4).

    Attributes
    ----------
    curve
        Curves of all parents, kept for the downward pass.
    here
        Responses of the nodes of one depth.
    below
        Responses of the nodes one step deeper.
    """

    curve: Floats
    here: Floats
    below: Floats


class Scratch(NamedTuple):
    """Room to sort the points of one parent's children."""

    keys: Floats
    order: Ints
    spare_keys: Floats
    spare_order: Ints
    ends: Ints
