"""Plain Python of the alignment app."""
