"""Commands of the orphans app, one module each."""
