"""Rows of the engines and their QuerySets."""
