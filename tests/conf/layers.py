"""A channel layer that cannot be built, and quotes its configuration."""


class Broken:
    def __init__(self, **config):
        raise ValueError(f"cannot connect to {config}")
