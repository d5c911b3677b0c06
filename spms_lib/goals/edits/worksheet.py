"""A worksheet: a draft with its history, so that any number of edits can be undone and done again."""

from collections.abc import Mapping

import pandas as pd

from spms_lib.errors import PlanError
from spms_lib.goals.edits.draft import Draft
from spms_lib.goals.edits.edit import Edit, apply
from spms_lib.goals.edits.review import changes, proof


class Worksheet:
    """A draft that is worked on. Each step is kept, so undo restores the numbers bit for bit.

    Examples
    --------
    >>> from spms_lib.calendar import FiscalCalendar
    >>> from spms_lib.hierarchy import Hierarchy
    >>> tree = Hierarchy.from_parent_child(pd.DataFrame({"node": ["t", "a", "b"], "parent": [None, "t", "t"]}))
    >>> said = pd.DataFrame({"2026-01": [40, 60]}, index=["a", "b"])
    >>> sheet = Worksheet(Draft.of(tree, said, FiscalCalendar()))
    >>> sheet.edit(Edit("proportional", "t", "2026-01", amount=200)).change.tolist()
    [100, 60, 40]
    >>> sheet.undo()
    >>> sheet.draft.value("t", "2026-01")
    100
    """

    def __init__(self, draft: Draft, *, references: Mapping[str, pd.DataFrame] | None = None) -> None:
        self._steps: list[tuple[Draft, Edit | str]] = [(draft, "start")]
        self._at = 0
        self._references = dict(references or {})

    @property
    def draft(self) -> Draft:
        """The draft as it is now."""
        return self._steps[self._at][0]

    @property
    def edits(self) -> list[Edit]:
        """The edits that are in the draft, in order; holds placed and lifted are none."""
        done = [what for _, what in self._steps[: self._at + 1]]
        return [what for what in done if isinstance(what, Edit)]

    @property
    def log(self) -> list[str]:
        """Every step from the start to now, in words."""
        return [str(what) for _, what in self._steps[: self._at + 1]]

    def preview(self, edit: Edit) -> pd.DataFrame:
        """Show what an edit would change, without making it: see `changes`."""
        return changes(self.draft, apply(self.draft, edit, references=self._references))

    def edit(self, edit: Edit) -> pd.DataFrame:
        """Make an edit and return what it changed; refused edits leave everything as it was."""
        before = self.draft
        self._step(apply(before, edit, references=self._references), edit)
        return changes(before, self.draft)

    def hold(self, node: str, period: str) -> None:
        """Hold a node and period at its present number."""
        self._step(self.draft.hold(node, period), f"hold {node} in {period}")

    def lift(self, node: str, period: str) -> None:
        """Lift a hold."""
        self._step(self.draft.lift(node, period), f"lift the hold on {node} in {period}")

    def undo(self) -> None:
        """Take the last step back."""
        if self._at == 0:
            raise PlanError("There is nothing to undo.", where="worksheet")
        self._at -= 1

    def redo(self) -> None:
        """Do the step again that was undone last; a new step forgets what was undone."""
        if self._at + 1 == len(self._steps):
            raise PlanError("There is nothing to do again.", where="worksheet")
        self._at += 1

    def changes(self) -> pd.DataFrame:
        """Show what differs from the start."""
        return changes(self._steps[0][0], self.draft)

    def proof(self) -> pd.DataFrame:
        """Prove the draft against the start: see `proof`."""
        return proof(self._steps[0][0], self.draft)

    def _step(self, draft: Draft, what: Edit | str) -> None:
        del self._steps[self._at + 1 :]
        self._steps.append((draft, what))
        self._at += 1
