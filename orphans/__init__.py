"""Orphans: what modules a checkout has and how to run its code safely."""
