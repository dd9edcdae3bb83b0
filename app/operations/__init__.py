"""What somebody who runs a ledger watches: one look at every stage, as text, JSON or metrics."""
