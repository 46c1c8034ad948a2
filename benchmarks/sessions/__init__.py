"""Many room sessions at once on a running server."""
