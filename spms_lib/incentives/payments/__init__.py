"""Payment of what was earned: draws, caps, money held back and taken back, and a ledger that adds up."""
