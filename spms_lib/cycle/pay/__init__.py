"""Pay of a cycle: its plans, people, credits and targets, brought to the engine, and what comes of it."""
