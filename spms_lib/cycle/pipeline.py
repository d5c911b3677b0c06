"""The quarter's deals as the CRM's last snapshot by the cut-off knew them, beside what people said."""

import pandas as pd

from spms_lib.collect.roll_ups import deals_by_category, roll_up_deals
from spms_lib.cycle.desk import Desk
from spms_lib.deals import snapshot
from spms_lib.tables import CATEGORIES, NAME, NODE


def pipeline_by_category(desk: Desk) -> pd.DataFrame:
    """Roll the quarter's deals up by category for the company and the review level: see `roll_up_deals`.

    Returns
    -------
    pd.DataFrame
        Columns node, name, the categories alone, `<category>_cumulative` from commit on, weighted (minor units) and
        unrated (deals without a probability); no rows where the company has no opportunities by the cut-off.
    """
    nodes = [desk.tree.root, *desk.tree.at_level(desk.review_level)]
    deals = (
        snapshot(desk.table("opportunities"), as_of=desk.params.collect_as_of)
        if desk.has("opportunities")
        else None
    )
    if deals is None or deals.empty:
        return pd.DataFrame(columns=[NODE, NAME, *CATEGORIES, "weighted", "unrated"])
    counted = deals_by_category(deals, desk.calendar)
    table = roll_up_deals(desk.tree, counted, nodes, months=desk.months, by_month=False)
    alone = [name for name in (*CATEGORIES, "no_category") if name in table and table[name].any()]
    both = [f"{name}_cumulative" for name in alone[1:] if name in CATEGORIES]
    table.insert(1, NAME, table[NODE].map(desk.tree.name))
    return table[[NODE, NAME, *alone, *both, "weighted", "unrated"]]
