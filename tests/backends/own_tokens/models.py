"""The rows of `authtoken`, seen through another model: so it needs no table of its own."""

from django.conf import settings
from django.db import models


class OwnedToken(models.Model):
    """The columns that all token models here have beside their key."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+"
    )
    created = models.DateTimeField()

    class Meta:
        abstract = True
        managed = False

    def __str__(self):
        return self.user.get_username()


class OwnToken(OwnedToken):
    key = models.TextField(primary_key=True)

    class Meta(OwnedToken.Meta):
        abstract = False
        db_table = "authtoken_token"


class UUIDToken(OwnedToken):
    """Tokens with keys of another type than text."""

    key = models.UUIDField(primary_key=True)
