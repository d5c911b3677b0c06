"""Edits of targets: spreads, holds, transfers and moves on a draft, each previewed, proved and undone."""

from spms_lib.goals.edits.draft import Draft, Held
from spms_lib.goals.edits.edit import Edit, apply
from spms_lib.goals.edits.moves import move_account, pro_rated
from spms_lib.goals.edits.review import changes, proof
from spms_lib.goals.edits.spreads import METHODS
from spms_lib.goals.edits.worksheet import Worksheet

__all__ = [
    "METHODS",
    "Draft",
    "Edit",
    "Held",
    "Worksheet",
    "apply",
    "changes",
    "move_account",
    "pro_rated",
    "proof",
]
