"""Run a site with 10,000 sockets for half an hour, with every kind of fault.

Clients of six kinds connect to four nodes that share Redis and PostgreSQL. They send messages,
renew their JWTs or let them expire, and reconnect when they are closed. In each minute one of
twenty clients loses its token: it is revoked, its row is deleted, or its user is logged out or
deactivated. Each minute a node is killed; and in turn, a node is drained and restarted, Redis is
stopped for 3 s, or PostgreSQL is. Two nodes serve the whole time.

The benchmark knows how long each token was valid. It fails if a socket is open, or admitted, longer
than the bound after the end of its token (*wrongly connected*); if a client is closed or refused
with a code that nothing explains, or gets no answer (*wrongly closed*); if a client is not
connected at the end (*lost*); or if tasks, timers, descriptors, objects of the library or memory
remain on the two nodes (*leaks*).
"""

from .running import run

__all__ = ["run"]
