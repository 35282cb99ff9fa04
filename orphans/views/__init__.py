"""Pages of the orphans app."""
