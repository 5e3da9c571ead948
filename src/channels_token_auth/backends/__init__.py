"""Token backends: each knows one kind of token, and no other backend."""
