"""Print a line for each password that is hashed, so that a test can count them."""

from django.contrib.auth.hashers import MD5PasswordHasher

__all__ = ["HASHED", "CountingHasher"]

HASHED = "a password was hashed\n"


class CountingHasher(MD5PasswordHasher):
    def encode(self, password, salt):
        print(HASHED, end="", flush=True)  # noqa: T201 - the test reads it
        return super().encode(password, salt)
