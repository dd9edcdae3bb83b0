"""Dossiers: what somebody outside needs to check a figure, in one file."""
