"""Ranking metrics, code health and energy."""
