"""A second reader for fine-needle aspirates."""
