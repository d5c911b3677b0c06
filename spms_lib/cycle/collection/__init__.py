"""The collection of a cycle in the ledger: forms that were sent, words that came, overrides, notes, signed snapshots."""
