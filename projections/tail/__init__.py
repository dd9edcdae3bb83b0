"""The live tail: read models fed from the topics by all who share a consumer group."""
