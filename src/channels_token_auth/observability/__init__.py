"""Report what happens: events, audit records, signals, and logs without credentials."""
