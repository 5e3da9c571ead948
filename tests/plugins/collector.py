"""Spare the garbage collector what a run keeps until its end: modules, and the collected tests.

It would visit these two hundred thousand objects again and again, and find nothing to free. Loaded
with `-p`, so that it begins before anything else is imported.
"""

import gc

import pytest

gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    # Hypothesis asks the collector who holds a generator, and nothing frozen is found.
    config.addinivalue_line("filterwarnings", "ignore:It looks like `register_random`")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(5_000)  # tests leave little: at 700, full collections would be too frequent
    gc.enable()
