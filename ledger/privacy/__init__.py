"""Personal values: encrypted per subject before they are hashed, erased by destroying a key."""
