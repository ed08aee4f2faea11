"""Raw recording formats to `Events`."""
