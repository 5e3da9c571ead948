"""Exempt a view from the transactions that `ATOMIC_REQUESTS` puts around each request."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connections, transaction

__all__ = ["non_atomic"]

View = TypeVar("View", bound=Callable[..., object])


def non_atomic(view: View) -> View:
    """Return the view, which Django then calls outside of the transactions of any database.

    Django refuses to call an asynchronous view inside one. And a view that needs no database would
    fail with it.
    """
    for alias in connections:  # the exemption of Django's decorator is that of one database
        transaction.non_atomic_requests(using=alias)(view)
    return view
