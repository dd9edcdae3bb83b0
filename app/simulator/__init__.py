"""A believable year of facts, drawn from figures to hit: no ledger, no clock, no file."""
