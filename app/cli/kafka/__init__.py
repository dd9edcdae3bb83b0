"""Commands of the topics: publishing, restoring, the inbox and its dead letters."""
