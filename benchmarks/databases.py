"""Start a database for the servers, SQLite or PostgreSQL, that contains all people."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services import PostgreSQL, postgresql

__all__ = ["KINDS", "Database", "database"]

ROOT = Path(__file__).parents[1]
KINDS = ("sqlite", "postgresql")
DEADLINE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database: Django's settings for it, and the server that a benchmark can stop, if any."""

    kind: str
    settings: dict[str, Any]
    server: PostgreSQL | None = None

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment variables with which the project finds it."""
        return {
            "BENCH_DATABASE": json.dumps(self.settings),
            "DJANGO_SETTINGS_MODULE": "benchmarks.project.settings",
            "PYTHONPATH": str(ROOT),
        }

    def run(self, module: str) -> None:
        """Run a module of the project to its end."""
        command = [sys.executable, "-m", f"benchmarks.project.{module}"]
        environ = os.environ | self.environ
        subprocess.run(command, cwd=ROOT, env=environ, check=True, timeout=DEADLINE)


@contextmanager
def database(kind: str) -> Iterator[Database]:
    """Yield a filled database, which ends with the `with` block."""
    with ExitStack() as stack:
        if kind == "postgresql":
            server = stack.enter_context(postgresql())
            made = Database(kind=kind, settings=server.settings, server=server)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
            file = str(Path(folder, "database.sqlite3"))
            settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": file}
            made = Database(kind=kind, settings=settings)
        made.run("fill")
        yield made
