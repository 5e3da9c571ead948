"""Count what addresses, tokens and users do, and refuse what is over a limit of `LIMITS`."""
