"""Workbooks that go out to sellers and managers and come back, and the inbox that they come back to."""
