"""The parts of a cycle, one module each: `run` does the work, `commit` writes its rows."""
