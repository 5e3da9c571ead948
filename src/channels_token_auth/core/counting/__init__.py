"""Count what users do: the frames that they send, and the sockets that they have."""
