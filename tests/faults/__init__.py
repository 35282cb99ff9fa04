"""Real processes and the faults that they meet."""
