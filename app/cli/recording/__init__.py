"""Commands that record governed events."""
