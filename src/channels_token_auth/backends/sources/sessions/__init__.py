"""Read Django's sessions in batches, and find their users, without writing."""
