"""Every number of a plan is listed as people read it, with its clause."""

import re
from typing import Any

import yaml

from spms_lib.incentives.plan.read import plan_from_dict
from spms_lib.incentives.plan.terms import plan_terms

from plan_documents import SOUND  # isort: skip


def test_every_number_of_the_document_is_among_its_terms() -> None:
    body = re.sub(r'version: .*|"', "", SOUND)
    written = re.findall(r"(?<![\w-])-?\d[\d.-]*(?: %)?(?![\w])", body)
    data: dict[str, Any] = yaml.safe_load(SOUND) | {
        "payment": {"holdback": "30 %", "draws": [{"minimum": 2500}]}
    }
    terms = plan_terms(plan_from_dict(data))
    shown = {value.replace(",", "") for value in terms["value"]}
    as_shown = {
        "0": "0 %",
        "1": "100 %",
        "-999": "-99900 %",
        "-9": "-900 %",
        "0.05": "5 %",
        "0.1": "10 %",
        "0.2": "20 %",
    }
    assert len(written) >= 40
    assert {one for one in written if one not in shown and as_shown.get(one) not in shown} == set()
    assert {"30 %", "2500"} <= set(terms.loc[terms["component"] == "payment", "value"].str.replace(",", ""))


def test_a_number_without_a_clause_takes_the_one_around_it() -> None:
    data: dict[str, Any] = yaml.safe_load(SOUND)
    data |= {"clause": "1", "source": "AE plan FY26"}
    data["components"][0] |= {
        "clause": "4.1",
        "cap": {"value": 2.5, "of": "money", "clause": "4.7"},
        "true_up": None,
    }
    terms = plan_terms(plan_from_dict(data)).set_index(["component", "name"])
    assert terms.loc[("new_business", "cap"), "clause"] == "4.7"
    assert terms.loc[("new_business", "cap"), "unit"] == "EUR"
    assert terms.loc[("new_business", "tier 2 value"), "clause"] == "4.1"
    assert terms.loc[("services", "weight"), "clause"] == "1"
    assert set(terms["source"]) == {"AE plan FY26"}
