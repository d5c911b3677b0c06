"""Named refusals. Each says what is wrong, where, and what to do next.

Misuse raises one of these. Bad *data* does not raise: it becomes a finding
(`spms_lib.findings`) beside the good rows.
"""


class SpmsError(Exception):
    """A refusal that a planner can act on.

    Attributes
    ----------
    what
        What is wrong, in one sentence.
    where
        The file, table, node or parameter it concerns; may be empty.
    remedy
        What to do next; may be empty only where nothing can be done.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what, where, remedy)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way between processes with all three parts."""
        return _rebuild, (type(self), self.what, self.where, self.remedy)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{advice}"


def _rebuild(kind: type[SpmsError], what: str, where: str, remedy: str) -> SpmsError:
    return kind(what, where=where, remedy=remedy)


class SourceError(SpmsError):
    """A file, query or database could not be read at all."""


class UnsafeFileError(SourceError):
    """A file was left closed for what it holds or how much it would unpack to."""


class FormError(SpmsError):
    """A form that came back cannot be read as a whole: foreign, stale, altered, or no form at all."""


class TableError(SpmsError):
    """A table does not have the columns or the shape that its schema asks for."""


class PeriodError(SpmsError):
    """A period or date is not one of this fiscal calendar."""


class MoneyError(SpmsError):
    """An amount cannot be held in whole minor units, or a currency is unknown."""


class NoBasisError(SpmsError):
    """An amount cannot be split because nothing says in which proportion."""


class HierarchyError(SpmsError):
    """Nodes and parents do not form one tree."""


class InfeasibleError(SpmsError):
    """Holds contradict each other or the total they must add up to."""


class ParamsError(SpmsError):
    """A parameter is unknown, missing, or of the wrong type or range."""


class PlanError(SpmsError):
    """A compensation plan is incomplete or contradicts itself."""


class LedgerError(SpmsError):
    """The ledger refused a commit, or a question about it cannot be answered."""


class StaleCommitError(LedgerError):
    """Cells of a commit were changed by somebody else since they were read."""


class IntegrityError(LedgerError):
    """The ledger's rows no longer match their hashes, or a sign-off no longer holds."""


class RunError(SpmsError):
    """A batch run was refused before it started, or a notebook of it failed."""


class CheckError(SpmsError):
    """A check that a planner relies on did not hold, such as conservation to the cent."""
