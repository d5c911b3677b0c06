"""One cycle of one company: its inputs, its ledger and its steps, joined for notebooks and runs."""

from spms_lib.cycle.desk import Desk, open_cycle
from spms_lib.cycle.inputs import input_fingerprint, load_inputs

__all__ = ["Desk", "input_fingerprint", "load_inputs", "open_cycle"]
