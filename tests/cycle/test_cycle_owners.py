"""Deals that carry the name of a person: they go to the seat where that person sat on the day."""

import pandas as pd

from spms_lib.cycle.owners import SEVERAL, by_owner
from spms_lib.findings import no_findings
from spms_lib.tables import LoadedTable

DAYS = ["valid_from", "valid_to"]
HIERARCHY = pd.DataFrame(
    {
        "node": ["top", "s1", "s2", "s3", "s4"],
        "parent": [None, "top", "top", "top", "top"],
        "owner": ["Mia", "Ann", "Bo", "Cy", "Cy"],
        "valid_from": pd.to_datetime([None] * 5),
        "valid_to": pd.to_datetime([None] * 5),
    }
)
ROSTER = pd.DataFrame(
    {
        "node": ["s1", "s2"],
        "person": ["Eve", "Eve"],
        "start": pd.to_datetime(["2026-01-01", "2026-07-01"]),
        "end": pd.to_datetime(["2026-06-30", None]),
    }
)


def deals(*rows: tuple[str, str]) -> LoadedTable:
    frame = pd.DataFrame(rows, columns=["node", "as_of"]).astype({"as_of": "datetime64[us]"})
    frame.index += 1
    return LoadedTable("opportunities", frame, no_findings(), len(frame), "deals.csv")


def test_an_owner_leads_to_the_seat_and_a_node_stays() -> None:
    got = by_owner(deals(("s2", "2026-01-31"), ("Ann", "2026-01-31"), ("ann", "2026-02-28")), HIERARCHY)
    assert got.rows["node"].tolist() == ["s2", "s1", "s1"]
    assert got.findings.empty


def test_a_person_who_changed_seats_has_each_deal_where_they_sat_on_the_day() -> None:
    got = by_owner(deals(("Eve", "2026-06-30"), ("Eve", "2026-07-01")), HIERARCHY, ROSTER)
    assert got.rows["node"].tolist() == ["s1", "s2"]


def test_an_owner_of_two_seats_is_a_finding_and_an_unknown_one_is_left_to_the_check_of_nodes() -> None:
    got = by_owner(deals(("Cy", "2026-01-31"), ("Nobody", "2026-01-31"), ("Mia", "2026-01-31")), HIERARCHY)
    assert got.rows["node"].to_dict() == {2: "Nobody", 3: "top"}
    assert got.findings[["row", "rule", "value"]].values.tolist() == [[1, SEVERAL, "Cy"]]
    assert got.rows_in == len(got.rows) + got.rejected


def test_who_leads_a_team_and_sells_too_has_the_deals_on_the_own_seat() -> None:
    both = HIERARCHY.assign(owner=["Ann", "Ann", "Bo", "Cy", "Cy"])
    assert by_owner(deals(("Ann", "2026-01-31")), both).rows["node"].tolist() == ["s1"]
