"""Commands that prove: verification, sealing, keys, time stamps, dossiers."""
