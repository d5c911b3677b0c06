"""Calibration: how far each forecaster was off in the past, how sure that is, and what it makes of a forecast."""
