"""Choose how many examples a property test tries.

A run of some tests, and `dev.py test --all`, try a hundred at random. The gate tries a quarter of
them (`--hypothesis-profile=gate`), the same ones each time: a random search may fail where nothing
has changed.
"""

import hypothesis

__all__ = ["times"]

# Hypothesis' own deadline of one example is a fifth of a second, which a busy machine exceeds.
hypothesis.settings.register_profile("full", deadline=None)
hypothesis.settings.register_profile("gate", deadline=None, max_examples=25, derandomize=True)
hypothesis.settings.load_profile("full")


def times(factor: float, **values: int) -> hypothesis.settings:
    """Return the settings of a test that tries so many times as many examples as others."""
    count = round(factor * hypothesis.settings.default.max_examples)
    return hypothesis.settings(max_examples=count, **values)
