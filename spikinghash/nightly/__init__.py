"""One night over an archive: what it compares with, and the report it leaves."""
