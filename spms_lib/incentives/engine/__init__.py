"""Exact evaluation of a compensation plan: credits and targets in, whole cents out, for everybody at once."""
