"""Small helpers of the workflow."""
