"""Pictures and texts that belong together: `pairs.parquet`, and what reads other people's files into one."""
