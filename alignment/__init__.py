"""Alignment: which warnings a diff deserves."""
