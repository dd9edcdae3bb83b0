"""Commands to begin with: the demonstration, a new ledger, a data folder."""
