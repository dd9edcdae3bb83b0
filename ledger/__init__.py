"""The ledger: commands, aggregates, append, feed and integrity.

Everything that may write a record stands below this folder. It imports `schemas` and nothing else
of ours; `projections`, `consumers` and `app` import it.
"""
