"""Tests of the forecasting domain."""
