"""Measure the style of a checkout: file facts, import graph, figures."""
