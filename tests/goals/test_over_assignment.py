"""Over-assignment: what cannot be a hedge is refused, and nothing set is ignored."""

import pandas as pd
import pytest

from spms_lib.errors import InfeasibleError, ParamsError
from spms_lib.goals.over_assignment import compounding, over_assign
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
BASE = TREE.roll_up(pd.DataFrame({"p": [60, 40, 50, 30, 20]}, index=TREE.leaves))


def test_a_ratio_of_the_company_itself_is_refused_rather_than_ignored() -> None:
    with pytest.raises(ParamsError, match=r"no level 'company' below the company.*region, seller"):
        over_assign(TREE, BASE, {"company": 0.05})


def test_a_ratio_of_minus_one_is_refused() -> None:
    with pytest.raises(ParamsError, match="above -100 %"):
        over_assign(TREE, BASE, {"seller": -1.0})


def test_an_under_assignment_scales_down() -> None:
    quota = over_assign(TREE, BASE, {"seller": -0.1})
    assert quota["p"].to_dict() == {"toy": 200, "north": 100, "south": 100, "anna": 54, "ben": 36} | {
        "carl": 45, "dora": 27, "emil": 18,
    }  # fmt: skip


def test_holds_above_an_under_assignment_are_refused_rather_than_made_negative() -> None:
    holds = pd.DataFrame({"node": ["anna"], "period": ["p"], "value": [60]})
    with pytest.raises(InfeasibleError, match="holds below 'north' exceed"):
        over_assign(TREE, BASE, {"seller": -0.5}, holds=holds)


def test_a_period_without_any_target_has_no_realised_hedge() -> None:
    nothing = BASE * 0
    table_ = compounding(TREE, nothing, over_assign(TREE, nothing, {"seller": 0.1}), {"seller": 0.1})
    assert table_["realised"].isna().all()
