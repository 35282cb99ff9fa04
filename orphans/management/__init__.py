"""Commands about a checkout: its orphans, its self-tests."""
