"""Divide the CPUs, measure how busy they are, and describe the machine for the results."""

import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

__all__ = ["GENERATOR_CPU", "SERVER_CPU", "Meter", "cpu_seconds", "describe", "is_shared"]

_CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU = _CPUS[0]
GENERATOR_CPU = _CPUS[-1]
"""The CPU of the generator, of PostgreSQL and of this process: of all but the servers."""

PACKAGES = (
    "channels",
    "channels-redis",
    "redis",
    "django",
    "uvicorn",
    "websockets",
    "granian",
    "psycopg",
    "channels-auth-token-middlewares",
    "django-channels-jwt-auth-middleware",
    "channels-token-auth",
)


def is_shared() -> bool:
    """Return True if server and generator share the only CPU, which makes results worthless."""
    return SERVER_CPU == GENERATOR_CPU


@dataclass(slots=True)
class Meter:
    """Measures the busy share of a CPU between two calls."""

    cpu: int
    _busy: float = 0.0
    _at: float = 0.0

    def share(self) -> float:
        """Return the busy share since the last call, from 0 to 1, for all processes together."""
        busy, at = _busy_seconds(self.cpu), time.monotonic()
        share = (busy - self._busy) / max(at - self._at, 1e-9)
        self._busy, self._at = busy, at
        return min(max(share, 0.0), 1.0)


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process of one thread has used."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def describe() -> dict[str, str]:
    """Return the facts about the machine and the versions, for every result."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} CPUs, {_gigabytes():.0f} GB of memory",
        "system": f"Linux {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "pinned": f"server on CPU {SERVER_CPU}, everything else on CPU {GENERATOR_CPU}",
    }


def _busy_seconds(cpu: int) -> float:
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{cpu}":
            user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, ticks[:8])
            busy = user + nice + system + irq + softirq + steal
            return busy / os.sysconf("SC_CLK_TCK")
    raise LookupError(f"CPU {cpu} is not in /proc/stat.")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _gigabytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
