"""Workflows as a whole: how they hang together, and how they bear hard conditions."""
