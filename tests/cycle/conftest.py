"""The tiny company: one that is only read, one that has been planned, and new ones to write to."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from spms_lib.cycle import Desk

from firms import Firm, close, everything, make_plan, set_goals  # isort: skip


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPMS_OUT", raising=False)
    monkeypatch.setenv("SPMS_AUTHOR", "Tester")


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The company as it opens its cycle; tests must not write to it."""
    firm = Firm(tmp_path_factory.mktemp("acme")).write(everything())
    yield firm.desk(notebook="reading")
    firm.close()


@pytest.fixture(scope="session")
def planned(acme: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The company with targets and a plan in its ledger; tests must not write to it."""
    from spms_lib.cycle.planning import publish_plan

    firm = Firm(tmp_path_factory.mktemp("planned")).write(everything())
    desk = replace(acme, root=firm.root, notebook="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPMS_AUTHOR", "Tester")
        set_goals(desk)
        publish_plan(desk, make_plan(desk)[0])
    yield desk
    close(desk)


@pytest.fixture
def firm(tmp_path) -> Iterator[Firm]:
    """An empty project folder."""
    made = Firm(tmp_path)
    yield made
    made.close()


@pytest.fixture
def opened(firm: Firm) -> Callable[..., Desk]:
    """Write a company and open it: tables as given, or all of them changed by name; None leaves one out."""

    def _open(*, cycle: dict | None = None, plan: dict | None = None, **changes) -> Desk:
        tables = {name: frame for name, frame in {**everything(), **changes}.items() if frame is not None}
        return firm.write(tables, plan=plan, **(cycle or {})).desk()

    return _open


@pytest.fixture
def fresh(acme: Desk, tmp_path) -> Iterator[Callable[..., Desk]]:
    """Desks of the company with a ledger of their own, empty at first; each call sits down anew."""
    desks: list[Desk] = []

    def _sit(**changes: str) -> Desk:
        desks.append(replace(acme, root=tmp_path, notebook="", _checks=[], **changes))
        return desks[-1]

    yield _sit
    for desk in desks:
        close(desk)
