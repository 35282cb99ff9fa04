"""Engines: bots under care, their improvement cycles and what these produce."""
