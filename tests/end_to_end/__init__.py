"""Everything together: real servers, workers and browsers."""
