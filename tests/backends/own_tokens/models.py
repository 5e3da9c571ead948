"""The rows of `authtoken`, seen through another model: so it needs no table of its own."""

from django.conf import settings
from django.db import models


class OwnToken(models.Model):
    key = models.TextField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+"
    )
    created = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "authtoken_token"

    def __str__(self):
        return self.user.get_username()


class UUIDToken(models.Model):
    """Tokens with keys of another type than text."""

    key = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+"
    )
    created = models.DateTimeField()

    class Meta:
        managed = False

    def __str__(self):
        return self.user.get_username()
