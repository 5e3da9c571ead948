"""Take the credential out of each location of an opening handshake: one module for each."""
