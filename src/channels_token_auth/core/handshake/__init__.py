"""Read an opening handshake, and write the answer to one that is denied. Pure."""
