"""The quick settings, and a line in the output for each password that is hashed."""

from tests.example.quick_settings import *  # noqa: F403 - they are the example's

PASSWORD_HASHERS = ["tests.example.counting.CountingHasher"]
