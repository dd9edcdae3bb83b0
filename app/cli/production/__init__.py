"""Commands of production facts, their read models and figures."""
