"""The client that waits, for scripts and threads."""
