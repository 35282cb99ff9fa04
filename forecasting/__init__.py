"""Forecasting: what a named subject's numbers were, mean and will be."""
