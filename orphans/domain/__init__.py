"""Plain Python of the orphans app."""
