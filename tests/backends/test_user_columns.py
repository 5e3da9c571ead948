"""Columns of users, of which a save may change some."""

import pytest
from django.contrib.auth import get_user_model
from django.db.models import BooleanField, DateTimeField, GeneratedField, Model, Q
from django.test.utils import isolate_apps

from channels_token_auth.backends.sources.user_columns import may_change_activity


@isolate_apps("tests.backends.own_users")
def with_generated_column():
    class Person(Model):
        left_at = DateTimeField(null=True)
        is_active = GeneratedField(
            expression=Q(left_at__isnull=True), output_field=BooleanField(), db_persist=True
        )

        class Meta:
            app_label = "own_users"

        def __str__(self):
            return str(self.left_at)

    return Person


class WithProperty:
    is_active = property(lambda self: True)


@pytest.mark.parametrize(
    ("model", "may_change"),
    [(get_user_model, False), (with_generated_column, True), (lambda: WithProperty, True)],
)
def test_save_of_other_columns_may_change_an_activity_that_is_computed(model, may_change):
    assert may_change_activity(model(), {"left_at"}) is may_change
    assert may_change_activity(model(), {"left_at", "is_active"})
    assert may_change_activity(model(), None)
