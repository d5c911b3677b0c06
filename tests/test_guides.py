"""The guides say what really comes out."""

import doctest

import pytest
from toys import ROOT


@pytest.mark.parametrize(
    ("guide", "examples"),
    [("reconciliation", 20), ("edits", 10), ("collection", 20), ("honest-forecasts", 25), ("incentives", 85)],
)
def test_every_example_of_a_guide_runs(guide: str, examples: int) -> None:
    found = doctest.testfile(
        str(ROOT / f"docs/{guide}.md"),
        module_relative=False,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert found.attempted > examples
    assert found.failed == 0
