"""Commands for who runs a ledger: copies, settings, state, metrics."""
