r"""Run the fuzzers, each in its own process: they exit non-zero where a promise does not hold.

python -m fuzz                               all of them, a million inputs together
python -m fuzz -runs=5000 redact             one of them, for 5,000 inputs
python -m fuzz redact -input="b'\x00abc'"    one of them, for the input that a failure printed
"""

import argparse
import ast
import importlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import atheris

TARGETS = ("extract", "origin", "redact")
# Seconds: no input of this size may take as long, on however busy a machine.
TIMEOUT = 20
# Bytes: room for all that can matter at once, and no more.
LONGEST = 512


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="?", choices=TARGETS, help="default: all of them")
    parser.add_argument("-runs", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("-input", type=ast.literal_eval, help="a bytes literal")
    parser.add_argument("-corpus", help=argparse.SUPPRESS)  # from `run`, to its process
    options = parser.parse_args()
    targets = [options.target] if options.target else TARGETS
    if options.corpus:
        fuzz(options.target, options.runs, options.corpus)
    if options.input is None:
        return max([run(target, options.runs // len(targets)) for target in targets])
    for target in targets:
        importlib.import_module(f"fuzz.{target}").check(options.input)
    return 0


def run(target: str, runs: int) -> int:
    """Fuzz one target in a process of its own, which ends with it; its exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
        for number, seed in enumerate(importlib.import_module(f"fuzz.{target}").SEEDS):
            Path(directory, str(number)).write_bytes(seed)
        command = [sys.executable, "-m", "fuzz", target, f"-runs={runs}", f"-corpus={directory}"]
        # Whatever its sign, so that a fuzzer that was killed has not passed.
        code = abs(subprocess.run(command, check=False).returncode)
    verdict = f"failed ({code})" if code else "ok"
    print(
        f"fuzz {target}: {runs:,} inputs in {time.monotonic() - began:.0f} s: {verdict}", flush=True
    )
    return code


def fuzz(target: str, runs: int, corpus: str) -> None:
    """Hand this process to libFuzzer. It never returns."""
    with atheris.instrument_imports(include=["channels_token_auth", "fuzz"]):
        check = importlib.import_module(f"fuzz.{target}").check

    def run_one(data: bytes) -> None:
        try:
            check(data)
        except BaseException:
            print(f"fuzz {target}: fails for -input={data!r}", flush=True)
            raise

    flags = [f"-runs={runs}", f"-timeout={TIMEOUT}", f"-max_len={LONGEST}"]
    flags += [f"-artifact_prefix={corpus}{os.sep}"]
    atheris.Setup([sys.argv[0], *flags, "-verbosity=0", corpus], run_one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
