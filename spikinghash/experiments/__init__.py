"""Comparisons: many small trainings on the same frames, each judged the same way."""
