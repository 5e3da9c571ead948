"""Users as tokens name them: who is admitted, by which key, and copies for each socket."""

from .admission import admit, concrete, local_user_key, named_user, primary_key, row_key

__all__ = ["admit", "concrete", "local_user_key", "named_user", "primary_key", "row_key"]
