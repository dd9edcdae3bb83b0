"""Keep read models in step with the ledger: catch up, rebuild beside the old, swap, report lag."""
