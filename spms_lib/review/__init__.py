"""Monitoring and review: what happened against the plan, why, and what is decided about it."""
