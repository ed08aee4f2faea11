"""Plots, galleries and the HTML report."""
