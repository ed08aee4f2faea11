"""Bounded search for hyper-parameters: ASHA of Ray Tune over short trainings, judged by validation clips alone."""
