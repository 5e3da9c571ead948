"""User models unlike Django's own: another primary key and USERNAME_FIELD; hidden users."""

import uuid

from django.contrib.auth.models import AbstractBaseUser
from django.db import models


class Member(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"


class Present(models.Manager["Employee"]):
    """Hide users who are deleted, and those of another tenant than `tenant`."""

    tenant = "a"

    def get_queryset(self) -> models.QuerySet["Employee"]:
        return super().get_queryset().filter(is_deleted=False, tenant=self.tenant)


class Employee(AbstractBaseUser):
    """Users of a site that deletes none: its default manager finds all of them."""

    name = models.CharField(max_length=20, unique=True)
    tenant = models.CharField(max_length=20, default="a")
    is_deleted = models.BooleanField(default=False)
    is_active = True

    all_objects = models.Manager()
    objects = Present()

    USERNAME_FIELD = "name"


class Guest(Member):
    """Members of another table, whose rows have the keys of theirs."""

    room = models.CharField(max_length=20)


class Entry(AbstractBaseUser):
    """Users of a directory, whose key may have any character."""

    dn = models.CharField(max_length=60, primary_key=True)

    USERNAME_FIELD = "dn"


class Place(models.Model):
    """Users of a site's own backend whose key has two columns."""

    pk = models.CompositePrimaryKey("row", "number")
    row = models.CharField(max_length=20)
    number = models.IntegerField()
    is_active = True

    def __str__(self) -> str:
        return f"{self.row}{self.number}"
