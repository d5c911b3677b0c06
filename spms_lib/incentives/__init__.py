"""Incentive pay: plans as data, who is credited, what that pays and why, what it will cost and what it invites."""
