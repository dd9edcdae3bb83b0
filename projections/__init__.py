"""Read models: pure folds over the feed, and the questions they answer.

A projection sees the published language of the ledger (types, errors, events, feed) and the
schemas; it never sees commands, aggregates or the store.
"""
