"""Named data sets to recordings, labels and splits."""
