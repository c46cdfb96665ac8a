"""Keys of this service."""
