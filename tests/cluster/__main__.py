"""`python3 dev.py cluster`: the example on three nodes, until Ctrl-C or a drain is through."""

import argparse
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.drain import roll
from tests.cluster.site import ADMINISTRATOR, Site, site

CLIENTS = 2000


def main() -> int:
    options = arguments()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for us, and all that we start
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # A job in the background is started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("Starting PostgreSQL, Redis, nginx and three nodes.", flush=True)
    with (
        suppress(KeyboardInterrupt),
        TemporaryDirectory(prefix="cluster-") as folder,
        site(Path(folder), options.port) as running,
    ):
        if options.drain:
            return roll(running, options.clients, options.over)
        greet(running)
        while True:
            time.sleep(3600)
    print("\nStopped.")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py cluster", description=__doc__)
    parser.add_argument("--port", type=int, help="nginx's; default: a free one")
    parser.add_argument(
        "--drain",
        action="store_true",
        help="drain and restart each node in turn under many clients, and end",
    )
    parser.add_argument("--clients", type=int, default=CLIENTS, help="default: %(default)s")
    parser.add_argument(
        "--over", type=float, default=10.0, help="seconds a drain is spread over; default: 10"
    )
    return parser.parse_args()


def greet(running: Site) -> None:
    print(f"Open {running.url} and log in as one of", flush=True)
    running.manage("demo_users")
    nodes = "".join(
        f"  {kind:14} at http://127.0.0.1:{node.port}/ prints to {node.output_path}\n"
        for kind, node in running.nodes.items()
    )
    print(
        f"The admin is at {running.url}admin/ for {ADMINISTRATOR} / {ADMINISTRATOR}.\n"
        f"Behind nginx, whose files are in {running.proxy.folder}, are\n{nodes}"
        f"PostgreSQL: psql -h {running.postgresql.folder} -U postgres\n"
        f"Redis: {running.environ['CLUSTER_REDIS']}\n"
        "Stop with Ctrl-C.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
