"""Other people's files of pictures and texts, one importer a file: see `table`."""
