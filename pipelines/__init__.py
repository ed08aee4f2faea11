"""Prefect flows: when things run, and nothing about how."""
