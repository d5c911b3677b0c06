"""Recognition: awards by absolute rules, and leaderboards that name only who wants to be named."""

from spms_lib.incentives.recognition.awards import awards
from spms_lib.incentives.recognition.board import check_frozen, freeze, leaderboard, own_view, shown
from spms_lib.incentives.recognition.rules import AwardRule, award_rules_from_dict

__all__ = [
    "AwardRule",
    "award_rules_from_dict",
    "awards",
    "check_frozen",
    "freeze",
    "leaderboard",
    "own_view",
    "shown",
]
