#!/bin/sh
# Run a server; on SIGTERM, empty this container's nodes before the server is stopped.
#
# usage: serve.sh COMMAND…. DRAIN_OVER: the seconds over which sockets are closed, 30 by default.
# The container's grace period has to be longer than twice that: stop_grace_period in compose,
# terminationGracePeriodSeconds in Kubernetes.

"$@" &
server=$!

stop() {
    # Each container has a host name of its own, which the names of its nodes begin with.
    python manage.py token_drain --node "$(hostname)" --over "${DRAIN_OVER:-30}"
    kill -TERM "$server"
}
trap stop TERM INT

# A signal ends the first wait, after `stop` has run. The second one returns the server's exit code.
wait "$server"
code=$?
if kill -0 "$server" 2>/dev/null; then
    wait "$server"
    code=$?
fi
exit "$code"
