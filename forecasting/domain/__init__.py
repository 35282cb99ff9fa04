"""Plain Python of the forecasting app."""
