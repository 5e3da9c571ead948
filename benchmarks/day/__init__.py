"""Half an hour of a site with 10,000 sockets, in which everything happens that may.

Clients of six kinds connect to four nodes that share Redis and PostgreSQL, talk, renew their JWTs
or let them expire, and come back when they are closed. In each minute one of twenty clients has its
token ended: revoked, its row deleted, its user logged out or deactivated. Each minute a node is
killed; in turn a node is drained and restarted, Redis is stopped for 3 s, and PostgreSQL. Two nodes
serve all day.

The benchmark knows of each token until when it was valid. It fails if a socket is open, or
admitted, longer than the bound after its token has ended (*wrongly connected*); if a client is
closed or refused with a code that nothing explains, or gets no answer (*wrongly closed*); if
somebody is not connected in the end (*lost*); or if tasks, timers, descriptors, objects of the
library or memory are left on the two nodes (*leaks*).
"""

from .running import run

__all__ = ["run"]
