"""Find the identity behind a credential: in order, in batches, by a deadline, in threads."""
