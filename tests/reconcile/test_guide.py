"""The guide to reconciliation says what really comes out."""

import doctest

from toys import ROOT


def test_every_example_of_the_guide_runs() -> None:
    found = doctest.testfile(
        str(ROOT / "docs/reconciliation.md"),
        module_relative=False,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert found.attempted > 20
    assert found.failed == 0
