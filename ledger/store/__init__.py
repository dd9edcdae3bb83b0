"""The store: one SQL table of records, and what the eventsourcing library needs to stand on it."""
