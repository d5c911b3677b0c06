"""Goal setting: objectives, approach, drivers, seasonality, cascade, over-assignment, feasibility and resources."""
