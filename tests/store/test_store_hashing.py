"""The hash of a content is a promise to every ledger that was ever written."""

from spms_lib.store.commits import commit_hash
from spms_lib.store.hashing import cells_hash, entry_hash

ROW = ("north", "2026-01", "revenue", "", 100, "EUR", None, 0)


def test_hashes_of_old_ledgers_never_change():
    digest = cells_hash([ROW])
    commit = {
        "seq": 1,
        "parent": None,
        "scenario": "main",
        "kind": "plan",
        "author": "Zoë",
        "time": "2026-01-05T12:00:00.000000Z",
        "message": "first",
        "cells": 1,
        "cells_hash": digest,
    }
    assert digest == "2904a05cab5cfee5313ed8cd3db423a16d7dd987eaf8cc690683772ebb260f5c"
    assert commit_hash(commit) == "43323b74615fedb8a4c21826f0792a64b8f11cf0c2657b02c7d09d28a8d43a58"
    assert (
        entry_hash("", 1, "commit", commit_hash(commit))
        == "a6c48413f8416476a1090781c9f20e9a19bc5d34089930e7d246bf9a234f3732"
    )


def test_neighbouring_fields_cannot_trade_characters():
    assert cells_hash([("ab", "c")]) != cells_hash([("a", "bc")])
    assert cells_hash([("a\nb",)]) != cells_hash([("a",), ("b",)])
    assert cells_hash([(None,)]) != cells_hash([("",)]) != cells_hash([(0,)])
    assert cells_hash([(1,)]) != cells_hash([("1",)])
