"""Evidence that outlives the operator: signed checkpoints, tiles, keys, witnesses, timestamps."""
