"""The bytes that are hashed, and the proofs over them: pure functions, standard library only."""
