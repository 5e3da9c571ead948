"""One socket: from its opening handshake until its application has returned."""
