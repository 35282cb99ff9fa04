"""Pages of orphan modules: they stand here because whose modules they are is the engines' to say."""
