"""Count the requests of addresses, tokens and users, and refuse those over a limit of `LIMITS`."""
