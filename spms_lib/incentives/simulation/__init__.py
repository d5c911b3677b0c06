"""What a plan may cost and pay: performance drawn from beliefs, the plan's own curves in floats, closed forms as checks."""
