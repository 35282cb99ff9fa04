"""Commands of the forecasting app."""
