"""Commands and options about persons."""
