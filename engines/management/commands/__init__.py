"""Commands of the engines, one module each."""
