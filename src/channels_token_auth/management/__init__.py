"""The management commands `token_…`."""
