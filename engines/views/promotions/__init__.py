"""Pages of promotions: the list, the page to decide on, roll-backs, exports."""
