"""Incentive pay: a tiered plan, and exact payouts that explain themselves."""
