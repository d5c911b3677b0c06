"""Worked compensation cases that plan documents and vendors printed; they lie beside the checkout, not in it."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from toys import ROOT

ABSENT = "the worked compensation cases are not here: set SPMS_SHARED to the folder that has examples/"


def _read() -> dict[str, dict[str, Any]]:
    path = (
        Path(os.environ.get("SPMS_SHARED") or ROOT.parent / "shared") / "examples" / "compensation-cases.yaml"
    )
    if not path.exists():
        return {}
    return {case["id"]: case for case in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]}


CASES = _read()


def of_calc(*calcs: str) -> list[Any]:
    """Name the cases of some calculators, for `pytest.mark.parametrize`; one skipped case where the file is absent."""
    found = [name for name, case in CASES.items() if case["calc"] in calcs]
    return found or [pytest.param("", marks=pytest.mark.skip(reason=ABSENT))]
