"""Incentive pay and recognition: plans as data, exact pay that explains itself, simulated before it is promised."""
