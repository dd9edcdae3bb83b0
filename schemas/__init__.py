"""Avro schemas: the published language of the ledger."""
