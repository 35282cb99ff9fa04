"""Commands of the engines."""
