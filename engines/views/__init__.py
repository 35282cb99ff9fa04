"""Pages of the engines."""
