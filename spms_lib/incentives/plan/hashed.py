"""A hash of what a plan says, which a run and a sign-off refer to."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

from spms_lib.incentives.plan.model import CompensationPlan
from spms_lib.incentives.plan.numbers import exact


def plan_hash(plan: CompensationPlan) -> str:
    """Hash what a plan says, with SHA-256; comments, the order of names and how a number is written do not count.

    The further blocks of a plan (crediting, payment, ...) are hashed as they are written.
    """
    canonical = json.dumps(_plain(plan), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Turn a value into what JSON can hold, each meaning in one way only."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (Fraction, int, float)) and not isinstance(value, bool):
        return {"number": str(exact(value))}
    return value.isoformat() if isinstance(value, dt.date) else value
