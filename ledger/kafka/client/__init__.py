"""Kafka clients behind our own words; an inbox has its own consumer beside them."""
