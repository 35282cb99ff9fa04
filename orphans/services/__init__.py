"""The only writers of the orphans' rows and files."""
