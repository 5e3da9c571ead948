"""Compile and start the load generator, a program in C, and read its reports."""

import json
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .contestants import Contestant
from .machine import GENERATOR_CPU

__all__ = ["Load", "compile_load", "generating"]

ROOT = Path(__file__).parents[1]
SOURCES = Path(__file__).parent / "load"
PROGRAM = ROOT / ".dev" / "bench-load" / "load"
DEADLINE = 180.0  # seconds in which the slowest contestant must have served all clients
GRACE = 10.0


def compile_load() -> None:
    """Compile the program with gcc, if its sources are newer."""
    newest = max(file.stat().st_mtime for file in SOURCES.iterdir())
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > newest:
        return
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", PROGRAM, SOURCES / "load.c"]
    subprocess.run([*command, "-lm"], check=True)


@dataclass(frozen=True, slots=True)
class Load:
    """A running generator."""

    process: subprocess.Popen[str]

    def wait_until_settled(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the report once every client was answered or has given up, or on time-out."""
        if timeout and not self._is_readable(timeout):
            return self.report()
        return self._read()

    def wait_until_closed(self, timeout: float) -> dict[str, Any]:
        """Return the report once the server has closed as many sockets as the option `closes`."""
        return self.wait_until_settled(timeout)

    def report(self) -> dict[str, Any]:
        """Return what happened since the last report."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        if not self._is_readable(DEADLINE):
            raise RuntimeError(f"The load generator is silent for {DEADLINE} s.")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The load generator ended with {self.process.wait(GRACE)}.")
        return json.loads(line)

    def _is_readable(self, timeout: float) -> bool:
        return bool(select.select([self.process.stdout], [], [], timeout)[0])


@contextmanager
def generating(
    port: int, contestant: Contestant, *flags: str, handshakes: bytes | None = None, **options: Any
) -> Iterator[Load]:
    """Run a generator, with the options of load.c. All clients leave at the end."""
    with tempfile.NamedTemporaryFile(prefix="handshakes-") as file:
        file.write(contestant.handshakes() if handshakes is None else handshakes)
        file.flush()
        options |= {"port": port, "requests": file.name}
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        command = ["setpriv", "--pdeathsig=KILL", "taskset", "--cpu-list", str(GENERATOR_CPU)]
        process = subprocess.Popen(
            [*command, PROGRAM, *words, *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield Load(process)
            finally:
                process.stdin.close()
                try:
                    process.wait(GRACE)
                except subprocess.TimeoutExpired:
                    process.kill()
