"""Expected progression of diabetes one year ahead."""
