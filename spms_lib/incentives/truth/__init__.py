"""Forecast incentives: what a pay rule asks a seller to say, proof that saying it pays best, and where that ends."""
