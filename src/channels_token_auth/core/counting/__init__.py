"""Find the addresses of clients, and count the frames and the sockets of users."""
