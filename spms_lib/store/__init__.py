"""The ledger: who committed which numbers, when, and on what ground.

Start with `spms_lib.store.ledger.Ledger`; holds and decisions have their own modules.
"""
