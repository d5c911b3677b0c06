"""Goal setting: objectives, approach, drivers, seasonality, cascade and over-assignment."""
