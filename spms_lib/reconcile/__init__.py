"""Reconciliation: one coherent plan from targets, field forecasts and baseline."""
