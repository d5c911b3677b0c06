"""Who is asked and who may speak: people in seats, managers of empty ones, delegates; nobody else."""

import datetime as dt

import pandas as pd
import pytest

from spms_lib.collect.asked import DELEGATIONS, ROSTER, Speakers, same_person
from spms_lib.hierarchy import Hierarchy

from toys import TOY, table  # isort: skip

OWNERS = ["Cora", "Nina", "Sven", None, None, None, None, "Emil"]
TREE = Hierarchy.from_parent_child(table(TOY).assign(owner=OWNERS))
SEATS = """
node person start      end
anna Anna   2020-01-01 -
ben  Ben    2020-01-01 2026-07-09
ben  Berta  2026-07-10 -
carl Carl   2020-01-01 2026-06-30
dora Dora   2026-08-01 -
"""
JULY = dt.date(2026, 7, 1)


def speakers(
    seats: str = SEATS, *, tree: Hierarchy = TREE, skip_level: bool = False, **leave: str
) -> Speakers:
    roster = table(seats).astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    rows = [
        (person.title(), delegate, dt.date(2026, 7, 5), dt.date(2026, 7, 20))
        for person, delegate in leave.items()
    ]
    return Speakers(tree, roster, pd.DataFrame(rows, columns=list(DELEGATIONS)), skip_level)


def words(text: str) -> pd.DataFrame:
    rows = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame(rows, columns=["node", "person", "day"]).astype({"day": "datetime64[us]"})


def may(judge, text: str) -> list[bool]:
    return judge(words(text)).tolist()


def test_the_person_in_the_seat_on_the_day_is_asked_and_the_manager_for_an_empty_one() -> None:
    asked = speakers().of_leaves(JULY).set_index("node")
    assert asked["person"].to_dict() == {
        "anna": "Anna", "ben": "Ben", "carl": "Sven", "dora": "Sven", "emil": "Emil",
    }  # fmt: skip
    assert asked.index[asked["vacant"]].tolist() == ["carl", "dora"]
    assert speakers().of_leaves(dt.date(2026, 7, 10)).set_index("node").loc["ben", "person"] == "Berta"
    assert speakers().of_leaves(dt.date(2026, 8, 1)).set_index("node").loc["dora", "person"] == "Dora"


def test_only_the_person_in_the_seat_may_submit_and_only_while_they_sit_there() -> None:
    assert may(
        speakers().may_submit,
        """
        ben Ben   2026-07-09
        ben Ben   2026-07-10
        ben Berta 2026-07-10
        ben Nina  2026-07-10
        ben Anna  2026-07-10
        """,
    ) == [True, False, True, False, False]


def test_the_manager_above_speaks_for_an_empty_seat_and_nobody_further_up() -> None:
    assert may(
        speakers().may_submit,
        "carl Sven 2026-07-10\ncarl Cora 2026-07-10\ncarl Carl 2026-07-10\ncarl Carl 2026-06-30",
    ) == [True, False, False, True]


def test_a_delegate_may_whatever_the_other_may_on_the_agreed_days_only() -> None:
    who = speakers(anna="Ben", sven="Cora")
    text = """
        anna Ben  2026-07-04
        anna Ben  2026-07-05
        anna Ben  2026-07-20
        anna Ben  2026-07-21
        anna Anna 2026-07-10
        carl Cora 2026-07-10
        """
    assert may(who.may_submit, text) == [False, True, True, False, True, True]
    assert may(who.may_override, "south Cora 2026-07-10\ncarl Cora 2026-07-10\ncarl Cora 2026-07-21") == [
        True,
        True,
        False,
    ]
    asked = who.of_leaves(dt.date(2026, 7, 10)).set_index("node")
    assert asked.loc[["anna", "carl"], "delegate"].tolist() == ["Ben", "Cora"]
    assert pd.isna(asked.loc["ben", "delegate"])


OVERRIDES = """
    toy   Cora 2026-07-10
    south Sven 2026-07-10
    south Cora 2026-07-10
    carl  Sven 2026-07-10
    carl  Cora 2026-07-10
    anna  Anna 2026-07-10
    anna  Ben  2026-07-10
    toy   Sven 2026-07-10
    north Sven 2026-07-10
"""


def test_an_owner_overrides_the_own_node_and_the_ones_directly_below() -> None:
    assert may(speakers().may_override, OVERRIDES) == [
        True,
        True,
        True,
        True,
        False,
        True,
        False,
        False,
        False,
    ]


def test_with_skip_level_those_further_up_may_too_and_nobody_upwards_or_sideways() -> None:
    found = may(speakers(skip_level=True).may_override, OVERRIDES)
    assert found == [True, True, True, True, True, True, False, False, False]


def test_each_person_gets_every_node_they_answer_for_once() -> None:
    duties = speakers().duties(JULY)
    asked = {
        person: list(zip(rows["node"], rows["kind"], strict=True))
        for person, rows in duties.groupby("person")
    }
    assert asked["Anna"] == [("anna", "submission")]
    assert asked["Sven"] == [
        ("south", "override"), ("carl", "submission"), ("dora", "submission"), ("emil", "override"),
    ]  # fmt: skip
    assert asked["Cora"] == [("toy", "override"), ("north", "override"), ("south", "override")]
    further = speakers(skip_level=True).duties(JULY)
    assert further.loc[further["person"] == "Cora", "node"].tolist() == [str(node) for node in TREE.nodes]
    assert not duties.duplicated(["person", "node"]).any()


def test_one_person_in_several_seats_is_one_person() -> None:
    both = speakers(SEATS.replace("Carl   2020-01-01 2026-06-30", "Anna   2020-01-01 -"))
    duties = both.duties(JULY)
    assert duties.loc[duties["person"] == "Anna", "node"].tolist() == ["anna", "carl"]


def test_a_node_without_an_owner_is_led_by_the_nearest_owner_above() -> None:
    tree = Hierarchy.from_parent_child(table(TOY).assign(owner=["Cora", None, *OWNERS[2:]]))
    who = speakers(tree=tree)
    assert may(who.may_override, "anna Cora 2026-07-10\nnorth Cora 2026-07-10") == [True, True]


def test_names_are_compared_without_regard_to_case_and_spaces() -> None:
    assert same_person(" nina  BERG", "Nina Berg")
    assert not same_person("Nina Berg", "Nina Bergmann")
    assert may(speakers().may_submit, "anna ANNA 2026-07-10") == [True]


def test_where_nobody_is_named_no_seat_is_empty_and_everybody_may() -> None:
    tree = Hierarchy.from_parent_child(table(TOY))
    who = Speakers(tree, pd.DataFrame(columns=list(ROSTER)), pd.DataFrame(columns=list(DELEGATIONS)))
    assert not who.of_leaves(JULY)["vacant"].any()
    assert who.duties(JULY).empty
    assert may(who.may_submit, "anna Zoe 2026-07-10") == may(who.may_override, "toy Zoe 2026-07-10") == [True]


@pytest.mark.parametrize("judge", ["may_submit", "may_override"])
def test_judging_many_words_at_once_is_the_same_as_one_by_one(judge: str) -> None:
    who = speakers(anna="Ben", carl="Anna")
    grid = pd.MultiIndex.from_product(
        [
            TREE.leaves,
            ["Anna", "Ben", "Berta", "Carl", "Sven", "Nina"],
            ["2026-07-01", "2026-07-10", "2026-08-01"],
        ],
        names=["node", "person", "day"],
    )
    said = grid.to_frame(index=False).astype({"day": "datetime64[us]"})
    many = getattr(who, judge)(pd.concat([said, said]))
    single = [bool(getattr(who, judge)(said.iloc[[row]])[0]) for row in range(len(said))]
    assert many.tolist() == [*single, *single]
    assert 0 < sum(single) < len(single)
