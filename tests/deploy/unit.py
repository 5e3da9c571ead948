"""Read a systemd unit as systemd does, as far as the shipped ones go."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["FOLDER", "UNITS", "Unit", "read_unit"]

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir())


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The commands of a service. `values`: all keys of [Service], of each the last value."""

    values: Mapping[str, str] = field(default_factory=dict)

    def command(self, key: str, **variables: str) -> list[str]:
        """Return a command's arguments, with `${NAME}` replaced."""
        arguments = shlex.split(self.values[key])
        for name, value in variables.items():
            arguments = [each.replace(f"${{{name}}}", value) for each in arguments]
        return arguments


def read_unit(text: str, **replaced: str) -> Unit:
    """Return a unit whose text has replacements, such as those of specifiers (`%i`)."""
    for old, new in replaced.items():
        text = text.replace(old, new)
    lines = (line for line in text.splitlines() if line and not line.startswith(("#", "[")))
    return Unit(values=dict(line.split("=", 1) for line in lines))
