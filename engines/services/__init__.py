"""The only writers of the engines' rows and files."""
