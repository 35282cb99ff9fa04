"""Small tools of the workflow."""
