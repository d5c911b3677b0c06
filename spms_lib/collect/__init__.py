"""Forecast collection: submissions, their completeness, and the pipeline behind them."""
