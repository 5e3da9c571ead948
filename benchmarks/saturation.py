"""Keep one server fully busy for a moment, and measure how busy the CPUs were."""

import time
from collections.abc import Iterable
from statistics import median
from typing import Any

from .contestants import Contestant
from .generator import generating
from .machine import GENERATOR_CPU, SERVER_CPU, Meter
from .server import Server

__all__ = ["AT_ONCE", "cpu_facts", "saturate"]

AT_ONCE = 64
WARM_UP = 0.3


def saturate(
    server: Server, contestant: Contestant, seconds: float, **options: Any
) -> dict[str, Any]:
    """Return the generator's report of some seconds. Raises RuntimeError for a wrong verdict."""
    meters = [Meter(SERVER_CPU), Meter(GENERATOR_CPU)]
    with generating(server.port, contestant, clients=AT_ONCE, **options) as load:
        load.wait_until_settled()
        time.sleep(WARM_UP)
        load.report()
        for meter in meters:
            meter.share()
        time.sleep(seconds)
        busy = [meter.share() for meter in meters]
        report = load.report()
    if report["wrongly_refused"] or report["wrongly_admitted"] or report["failed"]:
        raise RuntimeError(f"{contestant.name} went wrong: {report}")
    generator = report["cpu"] / report["seconds"]
    return report | {"generator": generator, "server_cpu": busy[0], "generator_cpu": busy[1]}


def cpu_facts(found: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return columns that show if the generator had time left. `its CPU` includes PostgreSQL."""
    columns = {
        "generator": "generator",
        "its CPU": "generator_cpu",
        "server's CPU": "server_cpu",
    }
    listed = list(found)
    return {
        column: f"{median(each[key] for each in listed):.0%}" for column, key in columns.items()
    }
