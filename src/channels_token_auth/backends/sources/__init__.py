"""Parts that several token backends share: queries, users, sessions, revalidation."""
