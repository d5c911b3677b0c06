"""Why a number is what it is: parts that sum to it, the chain to it, and what lifting a limit or an edit changes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spms_lib.commitments import conservation_gaps
from spms_lib.errors import InfeasibleError, TableError
from spms_lib.hierarchy import Crossed, Hierarchy
from spms_lib.reconcile.explain import chain, explain, if_lifted, sentence, steps
from spms_lib.reconcile.plan import Plan, changes, reconcile, revise

from toys import TOY, table  # isort: skip

TREE = Hierarchy.from_parent_child(table(TOY))
COLUMNS = ["node", "period", "source", "value", "variance"]
ESTIMATES = pd.DataFrame(
    [
        (node, period, source, value * scale, (0.1 * value) ** 2)
        for period, scale in (("p", 1.0), ("q", 1.3))
        for source, said in (
            ("target", {"toy": 1500, "north": 700, "south": 800, "anna": 400, "ben": 300}),
            ("field", {"anna": 330, "ben": 360, "carl": 240, "dora": 310}),  # emil has said nothing
        )
        for node, value in said.items()
    ],
    columns=COLUMNS,
)


def rows(*given_: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(given_, columns=["node", "period", "value"])


def everything_at_once() -> Plan:
    """A hold, a floor, a cap above the leaves and a cut across regions, all of them binding in p."""
    return reconcile(
        TREE,
        ESTIMATES,
        holds=rows(("anna", "p", 410)),
        lower=rows(("carl", "p", 300)),
        upper=rows(("south", "p", 750), ("duo", "p", 600)),
        cuts=pd.DataFrame({"cut": "duo", "node": ["ben", "carl"]}),
    )


@pytest.mark.parametrize("node", list(TREE.nodes))
@pytest.mark.parametrize("period", ["p", "q"])
@pytest.mark.parametrize("each_limit", [False, True])
def test_parts_sum_to_the_commitment_and_rounding_stays_below_a_cent(node, period, each_limit) -> None:
    plan = everything_at_once()
    parts = explain(plan, node, [period], each_limit=each_limit).set_index("source")["value"]
    assert parts.sum() == pytest.approx(plan.commitments.loc[node, period], abs=1e-6)
    assert abs(parts["rounding"]) < 1.0


def test_contributions_of_all_nodes_are_the_explanations_of_each() -> None:
    plan = everything_at_once()
    table_ = plan.contributions.pivot_table(index=["node", "period"], columns="source", values="value")
    for node in TREE.nodes:
        one = explain(plan, node, ["p"]).set_index("source")["value"]
        assert table_.loc[(node, "p"), one.index].to_numpy() == pytest.approx(one.to_numpy(), abs=1e-7)


def test_each_limit_is_named_with_what_it_adds_or_takes() -> None:
    plan = everything_at_once()
    parts = explain(plan, "ben", ["p"], each_limit=True).set_index("source")["value"]
    assert {"hold of anna", "lower bound of carl", "cut of duo"} <= set(parts.index)
    assert parts["lower bound of carl"] == pytest.approx(-300.0)  # the cut leaves Ben what Carl does not take
    assert parts["cut of duo"] == pytest.approx(600.0)


def test_a_multiplier_is_the_slope_of_the_misfit() -> None:
    """Move a limit by one unit each way: half the misfit changes by the multiplier."""
    plan = everything_at_once()
    for row in plan.multipliers.to_dict("records"):
        if row["kind"] != "hold":
            continue
        half = []
        for step in (-1, 1):
            moved = reconcile(
                TREE, ESTIMATES, holds=rows(("anna", "p", 410 + step)), lower=rows(("carl", "p", 300)),
                upper=rows(("south", "p", 750), ("duo", "p", 600)),
                cuts=pd.DataFrame({"cut": "duo", "node": ["ben", "carl"]}),
            )  # fmt: skip
            misfit = ((moved.heard.value - moved.found) ** 2 / moved.heard.variance)[moved.heard.said].sum()
            half.append(misfit / 2)
        assert (half[1] - half[0]) / 2 == pytest.approx(row["multiplier"], rel=1e-6)
        return
    pytest.fail("no hold among the multipliers")


def test_the_signs_of_multipliers_say_where_a_limit_would_fit_better() -> None:
    costs = everything_at_once().multipliers.set_index(["node", "kind"])["multiplier"]
    assert costs["carl", "lower"] > 0  # a lower floor would fit better
    assert costs["south", "upper"] < 0  # a higher cap would
    assert costs["duo", "upper"] < 0


def test_the_chain_goes_from_the_company_to_the_seller_with_what_each_source_said() -> None:
    way = chain(everything_at_once(), "emil", ["p"])
    assert way["node"].tolist() == ["toy", "south", "emil"]
    assert way["target"].iloc[:2].tolist() == [1500.0, 800.0]
    assert way[["target", "field"]].iloc[2].isna().all()
    assert way["plan"].iloc[1] == 750
    assert way["share"].iloc[1] == pytest.approx(750 / way["plan"].iloc[0])


def test_the_sentence_names_the_largest_contributions_and_its_own_limit() -> None:
    text = sentence(everything_at_once(), "south", ["p"], money=lambda value: f"{value:.0f}")
    assert text.startswith("south is planned at 750: 750 from the upper bound of south (100%)")
    assert text.endswith("It stands on its own upper.")


def test_the_steps_of_a_waterfall_end_at_the_plan_and_small_ones_are_one_step() -> None:
    plan = everything_at_once()
    made = steps(plan, "toy", most=2)
    assert made["kind"].tolist()[-1] == "total"
    assert made["value"].iloc[:-1].sum() == pytest.approx(made["value"].iloc[-1])
    assert made["value"].iloc[-1] == pytest.approx(plan.commitments.loc["toy"].sum())
    assert made["label"].iloc[-2].endswith("smaller")


def test_lifting_a_limit_gives_the_plan_without_it() -> None:
    plan = reconcile(TREE, ESTIMATES, upper=rows(("south", "p", 650)))
    free = reconcile(TREE, ESTIMATES)
    moved = if_lifted(plan, "south", "p").set_index("node")
    assert moved.loc["south", ["before", "after"]].tolist() == [650, free.commitments.loc["south", "p"]]
    assert (moved["period"] == "p").all()
    assert moved["change"].abs().is_monotonic_decreasing


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[str, str, str, int]]:
    kinds = st.sampled_from(["hold", "value"])
    return draw(
        st.lists(
            st.tuples(
                kinds,
                st.sampled_from(["anna", "ben", "carl", "dora"]),
                st.sampled_from("pq"),
                st.integers(0, 900),
            ),
            min_size=1,
            max_size=4,
        )
    )


@settings(max_examples=40)
@given(edits())
def test_a_revised_plan_is_the_plan_reconciled_anew(wanted: list[tuple[str, str, str, int]]) -> None:
    start = reconcile(TREE, ESTIMATES)
    plan, told, held = start, ESTIMATES.copy(), {}
    before = start.commitments.copy()
    for kind, node, period, value in wanted:
        if kind == "hold":
            held[node, period] = value
            plan = revise(plan, holds=rows((node, period, value)))
        else:
            told.loc[
                (told["node"] == node) & (told["period"] == period) & (told["source"] == "field"), "value"
            ] = value
            changed = pd.DataFrame(
                [(node, period, "field", value)], columns=["node", "period", "source", "value"]
            )
            plan = revise(plan, values=changed)
    holds = rows(*((node, period, value) for (node, period), value in held.items()))
    anew = reconcile(TREE, told, holds=holds)
    assert plan.values.to_numpy() == pytest.approx(anew.values.to_numpy(), rel=1e-12)
    pd.testing.assert_frame_equal(plan.commitments, anew.commitments)
    pd.testing.assert_frame_equal(start.commitments, before)  # the first plan did not change
    lifted = revise(plan, lift=holds[["node", "period"]])
    assert lifted.values.to_numpy() == pytest.approx(reconcile(TREE, told).values.to_numpy(), rel=1e-12)


def test_only_the_periods_that_are_touched_are_solved_anew() -> None:
    plan = reconcile(TREE, ESTIMATES)
    moved = changes(plan, revise(plan, holds=rows(("ben", "q", 100))))
    assert set(moved["period"]) == {"q"}
    assert moved["node"].iloc[0] == "ben"


def test_a_revision_that_cannot_stand_is_refused_and_one_of_nobody_too() -> None:
    plan = reconcile(TREE, ESTIMATES, lower=rows(("ben", "p", 500), ("anna", "p", 300)))
    with pytest.raises(
        InfeasibleError, match=r"'north' is held at 700\.00 in p, but below it at least 800\.00 is fixed"
    ):
        revise(plan, holds=rows(("north", "p", 700)))
    with pytest.raises(TableError, match="field has said nothing of 'emil'"):
        revise(
            plan,
            values=pd.DataFrame([("emil", "p", "field", 1)], columns=["node", "period", "source", "value"]),
        )


@pytest.mark.parametrize(
    ("limits", "message", "remedy"),
    [
        (
            {"holds": rows(("north", "p", 500)), "lower": rows(("anna", "p", 300), ("ben", "p", 250))},
            r"'north' is held at 500.00 in p, but below it at least 550.00 is fixed: 'anna' at least 300.00, 'ben' at least 250.00",
            "Raise the hold of 'north' to 550.00, or lower the others by 50.00 in all, or lift one of them.",
        ),
        (
            {"lower": rows(("toy", "p", 2000)), "upper": rows(("north", "p", 900), ("south", "p", 1000))},
            r"'toy' must be at least 2,000.00 in p, but below it at most 1,900.00 is possible: 'south' at most 1,000.00, 'north' at most 900.00",
            "Lower the floor of 'toy' to 1,900.00, or raise the others by 100.00 in all, or lift one of them.",
        ),
        (
            {"holds": rows(("ben", "p", 900)), "upper": rows(("ben", "p", 700))},
            r"'ben' must be at least 900.00 and at most 700.00 in p: its own hold or bounds exclude each other",
            "Raise the cap of 'ben' to 900.00, or lower its floor to 700.00",
        ),
        (
            {
                "lower": rows(("anna", "p", 400), ("carl", "p", 300)),
                "upper": rows(("pair", "p", 600)),
                "cuts": pd.DataFrame({"cut": "pair", "node": ["anna", "carl"]}),
            },
            r"No plan meets all of these in p: 'pair' at most 600.00, 'anna' at least 400.00, 'carl' at least 300.00; they miss each other by 100.00",
            "among them by 100.00 in all, or lift one of them.",
        ),
    ],
)  # fmt: skip
def test_limits_that_contradict_each_other_are_refused_by_name_with_what_to_change(
    limits, message, remedy
) -> None:
    with pytest.raises(InfeasibleError, match=message) as refusal:
        reconcile(TREE, ESTIMATES, **limits)
    assert remedy in refusal.value.remedy


def test_a_bound_must_be_a_whole_number_and_on_a_known_node() -> None:
    with pytest.raises(InfeasibleError, match="upper bound on 'ben' in p is not a whole number"):
        reconcile(TREE, ESTIMATES, upper=rows(("ben", "p", 10.5)))
    with pytest.raises(TableError, match="1 lower bounds are for nodes outside the tree, such as 'nora'"):
        reconcile(TREE, ESTIMATES, lower=rows(("nora", "p", 10)))


def test_a_cut_may_not_be_called_like_a_node() -> None:
    with pytest.raises(TableError, match="'ben' is the name of a node and of a cut"):
        reconcile(TREE, ESTIMATES, cuts=pd.DataFrame({"cut": "ben", "node": ["anna", "carl"]}))


def test_a_crossed_plan_is_explained_along_each_dimension() -> None:
    products = Hierarchy.from_parent_child(
        pd.DataFrame({"node": ["all", "boats", "cars"], "parent": [None, "all", "all"]})
    )
    both = Crossed.of({"node": TREE, "product": products})
    told = pd.DataFrame(
        [("toy", "all", "p", "target", 3000.0, 10_000.0)]
        + [
            (leaf, item, "p", "field", 200.0 + 40 * place, 900.0)
            for place, leaf in enumerate(TREE.leaves)
            for item in products.leaves
        ],
        columns=["node", "product", *COLUMNS[1:]],
    )
    cap = pd.DataFrame([("south", "boats", "p", 700)], columns=["node", "product", "period", "value"])
    plan = reconcile(both, told, upper=cap)
    assert plan.commitments.loc[("south", "boats"), "p"] == 700
    assert plan.certificate.holds(1e-9)
    parts = explain(plan, ("carl", "boats"), each_limit=True)
    assert parts["value"].sum() == pytest.approx(plan.commitments.loc[("carl", "boats"), "p"])
    assert "upper bound of south x boats" in set(parts["source"])
    assert chain(plan, ("carl", "boats"))["node"].tolist() == [
        "toy x all", "south x all", "carl x all", "carl x boats",
    ]  # fmt: skip
    units = plan.units
    assert not (both.rows @ units).any()


def test_months_quarters_and_the_year_are_planned_as_one() -> None:
    from spms_lib.calendar import FiscalCalendar

    months = Hierarchy.from_periods([f"2026-{month:02d}" for month in range(1, 7)], FiscalCalendar())
    both = Crossed.of({"node": TREE, "period": months})
    told = pd.DataFrame(
        [("toy", "FY2026", "target", 90_000.0, 1e6), ("north", "2026Q1", "target", 20_000.0, 1e6)]
        + [(leaf, month, "field", 2500.0, 1e5) for leaf in TREE.leaves for month in months.leaves],
        columns=["node", "period", "source", "value", "variance"],
    )
    plan = reconcile(both, told, holds=rows(("south", "2026Q2", 24_001)))
    wide = plan.commitments
    assert list(wide.columns) == list(months.nodes)
    assert wide.loc["south", "2026Q2"] == 24_001
    assert (wide["2026Q1"] + wide["2026Q2"] == wide["FY2026"]).all()
    assert (wide[["2026-01", "2026-02", "2026-03"]].sum(axis=1) == wide["2026Q1"]).all()
    assert not conservation_gaps(TREE, wide.to_numpy()).any()
    assert plan.certificate.holds(1e-9)
    assert np.isfinite(plan.variance.to_numpy()).all()
    total = plan.contributions.groupby(["node", "period"])["value"].sum()
    assert total["toy", "FY2026"] == pytest.approx(wide.loc["toy", "FY2026"])


def test_a_period_that_is_not_planned_is_refused_and_changes_no_other() -> None:
    plan = reconcile(TREE, ESTIMATES)
    for ask in (
        lambda: revise(plan, lift=pd.DataFrame({"node": ["ben"], "period": ["r"]})),
        lambda: revise(plan, holds=rows(("ben", "r", 1))),
        lambda: explain(plan, "ben", ["r"]),
        lambda: if_lifted(plan, "ben", "r"),
    ):
        with pytest.raises(TableError, match="'r' is not a period of this plan"):
            ask()


@pytest.mark.parametrize("missing", ["node", "period", "source", "value"])
def test_estimates_without_a_column_are_refused_by_its_name(missing: str) -> None:
    with pytest.raises(TableError, match=rf"Columns \['{missing}'\] are missing"):
        reconcile(TREE, ESTIMATES.drop(columns=missing))


def test_limits_and_cuts_without_a_column_are_refused_by_its_name() -> None:
    with pytest.raises(TableError, match=r"holds: Columns \['value'\] are missing"):
        reconcile(TREE, ESTIMATES, holds=pd.DataFrame({"node": ["ben"], "period": ["p"]}))
    with pytest.raises(TableError, match=r"cuts: Columns \['node'\] are missing"):
        reconcile(TREE, ESTIMATES, cuts=pd.DataFrame({"cut": ["duo"]}))
