"""The bytes that are hashed: commitments, blocks, leaves, trees. Pure: no database, no events."""
