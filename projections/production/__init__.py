"""Production figures from facts: the cube of additive measures, indicators, checks, forecasts."""
