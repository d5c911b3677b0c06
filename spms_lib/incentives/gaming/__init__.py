"""Gaming: what payees do that the plan invites, tested against chance."""
