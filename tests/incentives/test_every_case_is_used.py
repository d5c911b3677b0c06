"""Every worked compensation case is held against the package by some test."""

import re
from pathlib import Path

import pytest

from compensation_cases import ABSENT, CASES  # isort: skip


@pytest.mark.skipif(not CASES, reason=ABSENT)
def test_each_kind_of_case_has_a_test() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    named = set(re.findall(r'"(\w+)"', " ".join(re.findall(r"of_calc\(([^)]*)\)", tests))))
    assert {case["calc"] for case in CASES.values()} - named == set()
