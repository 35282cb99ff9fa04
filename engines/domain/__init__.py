"""Plain Python of the engines: states, decisions, energy, search, significance."""
