"""Programs that build the documentation site and check it."""
