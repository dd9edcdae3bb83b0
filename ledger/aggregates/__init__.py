"""The aggregates: which proposals are accepted, and what has happened so far.

Each module holds one consistency boundary or a few that belong together; `routing` finds the
aggregate of an event.
"""
