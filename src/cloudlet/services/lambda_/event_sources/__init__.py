"""Event sources: what Lambda reads by itself, for the functions that are mapped to it."""
