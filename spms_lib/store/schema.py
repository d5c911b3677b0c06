"""Tables of the ledger, in types that every SQL database has.

Rows are only ever added. Money is BIGINT minor units, times are ISO text in UTC
with microseconds, structured payloads are JSON text.
"""

from difflib import get_close_matches
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

from spms_lib.errors import LedgerError
from spms_lib.tables import MEASURE, NODE, PERIOD, VALUE

SCHEMA_VERSION: Final = "1"
VERSION_NAME: Final = "schema_version"

KINDS: Final = (
    *("targets", "form", "submission", "override", "hold", "edit"),
    *("decision", "note", "approval", "plan", "pay"),
)
MAIN: Final = "main"

SEQ: Final = "seq"
ID: Final = "id"
KIND: Final = "kind"
SCENARIO: Final = "scenario"
AUTHOR: Final = "author"
TIME: Final = "time"
MESSAGE: Final = "message"
COMMIT: Final = "commit"
ITEM: Final = "item"
UNIT: Final = "unit"
TEXT: Final = "text"
WITHDRAWN: Final = "withdrawn"

KEYS: Final = (NODE, PERIOD, MEASURE, ITEM)
PAYLOAD: Final = (VALUE, UNIT, TEXT)

metadata = MetaData()

about = Table(
    "about",
    metadata,
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
)

commits = Table(
    "commits",
    metadata,
    Column(SEQ, BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 ... without gaps
    Column(ID, Text, nullable=False, unique=True),  # hash over the columns below and the seq
    Column("parent", Text, nullable=True),  # id of the scenario's commit before; null for its first
    Column(SCENARIO, Text, nullable=False),
    Column(KIND, Text, nullable=False),
    Column(AUTHOR, Text, nullable=False),
    Column(TIME, Text, nullable=False),
    Column(MESSAGE, Text, nullable=False),
    Column("cells", BigInteger, nullable=False),  # how many cells the commit has
    Column("cells_hash", Text, nullable=False),
    Index("commits_by_scenario", SCENARIO, KIND, SEQ),
)

cells = Table(
    "cells",
    metadata,
    Column(SEQ, BigInteger, ForeignKey(commits.c[SEQ]), primary_key=True, autoincrement=False),
    Column(NODE, Text, primary_key=True),
    Column(PERIOD, Text, primary_key=True),
    Column(MEASURE, Text, primary_key=True),
    Column(ITEM, Text, primary_key=True),  # category of a submission, id of a decision; else empty
    Column(VALUE, BigInteger, nullable=True),  # null: nobody has said
    Column(UNIT, Text, nullable=False),
    Column(TEXT, Text, nullable=True),
    Column(WITHDRAWN, SmallInteger, CheckConstraint("withdrawn in (0, 1)"), nullable=False),
    Index("cells_by_node", NODE, SEQ),
)

signoffs = Table(
    "signoffs",
    metadata,
    Column("name", Text, primary_key=True),
    Column(ID, Text, nullable=False, unique=True),  # hash over the columns below and the name
    Column("commit_id", Text, ForeignKey(commits.c[ID]), nullable=False),
    Column(SCENARIO, Text, nullable=False),
    Column(KIND, Text, nullable=False),
    Column(AUTHOR, Text, nullable=False),
    Column(TIME, Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("totals", Text, nullable=False),  # JSON list of what the sign-off asserts
    Column("state_hash", Text, nullable=False),
)

# One line per commit or sign-off, chained by hash: without it, losing the newest row would not show.
journal = Table(
    "journal",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 ... without gaps
    Column("subject", Text, nullable=False),  # commit or sign-off
    Column("subject_id", Text, nullable=False),
    Column("hash", Text, nullable=False),
)


def known_kind(kind: str) -> str:
    """Return a kind of commit, or refuse it with the nearest known one.

    Examples
    --------
    >>> known_kind("targets")
    'targets'
    """
    if kind in KINDS:
        return kind
    near = get_close_matches(str(kind), KINDS, n=1)
    guess = f"Did you mean '{near[0]}'? " if near else ""
    raise LedgerError(f"There is no kind '{kind}'.", remedy=f"{guess}Known kinds: {', '.join(KINDS)}.")
