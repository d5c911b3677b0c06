"""Recognition: awards by absolute rules, and leaderboards that name only who wants to be named."""
