"""Refusals say what, where and what to do, and keep saying it on their way between processes."""

import inspect
import pickle

import pytest

from spms_lib import errors
from spms_lib.errors import LedgerError, SpmsError, StaleCommitError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SpmsError)]


def test_a_refusal_reads_as_place_reason_and_remedy() -> None:
    assert (
        str(SpmsError("It is wrong.", where="targets", remedy="Correct it."))
        == "targets: It is wrong. Correct it."
    )
    assert str(SpmsError("It is wrong.")) == "It is wrong."


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_the_way_between_processes_whole(kind: type[SpmsError]) -> None:
    sent = kind("It is wrong.", where="here", remedy="Correct it.")
    came = pickle.loads(pickle.dumps(sent))
    assert type(came) is kind
    assert (came.what, came.where, came.remedy, str(came)) == (sent.what, sent.where, sent.remedy, str(sent))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_explained_and_can_be_caught_as_one(kind: type[SpmsError]) -> None:
    assert kind.__doc__
    with pytest.raises(SpmsError):
        raise kind("It is wrong.")


def test_a_stale_commit_is_a_refusal_of_the_ledger() -> None:
    assert issubclass(StaleCommitError, LedgerError)
