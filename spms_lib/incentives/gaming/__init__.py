"""Gaming: what payees do that the plan invites, tested against chance; a finding never says why or who is to blame."""

from spms_lib.incentives.gaming.bunching import bunching, bunching_curve
from spms_lib.incentives.gaming.discounts import discounting
from spms_lib.incentives.gaming.found import judge
from spms_lib.incentives.gaming.intervals import around_ends
from spms_lib.incentives.gaming.shifts import shifts, slips
from spms_lib.incentives.gaming.spikes import late_spikes

__all__ = [
    "around_ends",
    "bunching",
    "bunching_curve",
    "discounting",
    "judge",
    "late_spikes",
    "shifts",
    "slips",
]
