"""What was heard in a cycle, whatever the route: submissions and overrides with all their versions."""

import pandas as pd

from spms_lib.cycle.desk import Desk


def submissions_heard(desk: Desk) -> pd.DataFrame:
    """Return every submission of every version, oldest first: the columns of the table `submissions`."""
    return desk.table("submissions").sort_values("submitted_at", kind="stable", ignore_index=True)


def overrides_heard(desk: Desk) -> pd.DataFrame:
    """Return every override of every version, oldest first: the columns of the table `overrides`."""
    return desk.table("overrides").sort_values("overridden_at", kind="stable", ignore_index=True)
