"""Commands that read what is recorded: figures, histories, risks, updates."""
