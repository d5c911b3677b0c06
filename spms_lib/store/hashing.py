"""Fingerprints: the same content gives the same hash on every machine.

All content is rendered as ASCII JSON without spaces and hashed with SHA-256.
Each hash starts with a word for what it is of, so that one kind of content can
never pass for another.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

FIRST: Final = ""

_render = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True, default=repr).encode


def cells_hash(rows: Iterable[Sequence[object]]) -> str:
    """Hash the cells of one commit or one state; their order does not count.

    Examples
    --------
    >>> cells_hash([("north", 1), ("south", None)]) == cells_hash([("south", None), ("north", 1)])
    True
    """
    return _sha256("cells\n" + "\n".join(sorted(_render(tuple(row)) for row in rows)))


def record_hash(what: str, content: Mapping[str, object]) -> str:
    """Hash a commit or a sign-off: every field with its name; the order does not count.

    Examples
    --------
    >>> record_hash("commit", {"author": "Ada"}) == record_hash("sign-off", {"author": "Ada"})
    False
    """
    return _sha256(f"{what}\n{_render(dict(content))}")


def entry_hash(before: str, entry: int, subject: str, subject_id: str) -> str:
    """Hash one journal line together with the hash of the line before it (`FIRST` for the first)."""
    return _sha256("entry\n" + _render([before, entry, subject, subject_id]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
