"""Runs: the notebooks of a cycle, checked first, executed in order, and kept with what they found.

Start with `spms_lib.batch.run.run_cycle`; one notebook alone is `spms_lib.batch.execute.run_task`.
"""
