"""Measurements, side by side with a memory copy and with peers. `make bench` runs them all."""
