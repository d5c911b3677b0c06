"""Statements: pay explained to the cent, what comes next, and what would have been."""
