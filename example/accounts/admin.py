"""Manage tokens in the admin: a key is shown once, when it is created."""

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.template.response import TemplateResponse
from django.urls import reverse
from rest_framework.authtoken.models import Token, TokenProxy

from accounts.models import UserToken, replace_token, token_id

User = get_user_model()

admin.site.unregister(TokenProxy)  # DRF's own admin lists the keys
admin.site.unregister(User)


class NoKeyLookups:
    """Forbid filters by key: with `?key__startswith=a`, a list reveals it digit by digit."""

    def lookup_allowed(self, lookup, value, request):
        if {"key", "pk", "auth_token"} & set(lookup.split("__")):
            return False
        return super().lookup_allowed(lookup, value, request)


@admin.register(User)
class TokenUserAdmin(NoKeyLookups, UserAdmin):
    """Hide the key of the token that is deleted with its user: Django's own page shows it."""

    def get_deleted_objects(self, objs, request):
        tree, *rest = super().get_deleted_objects(objs, request)
        keys = Token.objects.filter(user__in=objs).values_list("key", flat=True)
        return _without(list(keys), tree), *rest


class TokenChangeList(ChangeList):
    """Link to tokens by their user, since the primary key is the secret."""

    def url_for_result(self, result):
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=(quote(result.pk),), current_app=self.model_admin.admin_site.name)


@admin.register(UserToken)
class UserTokenAdmin(NoKeyLookups, admin.ModelAdmin):
    """Create a token when one is added, replace it when one is saved, and show it once."""

    list_display = ("user", "created", "token_id")
    list_select_related = ("user",)
    search_fields = (f"user__{User.USERNAME_FIELD}",)
    ordering = (f"user__{User.USERNAME_FIELD}",)
    fields = ("user", "created", "token_id")
    actions = None  # they select by primary key

    @admin.display(description="id")
    def token_id(self, token):
        return token_id(token.key)

    def get_changelist(self, request, **kwargs):
        return TokenChangeList

    def get_object(self, request, object_id, from_field=None):
        if not object_id.isdecimal():
            return None
        return self.get_queryset(request).filter(user_id=int(object_id)).first()

    def get_fields(self, request, obj=None):
        return self.fields if obj else ("user",)

    def get_readonly_fields(self, request, obj=None):
        return self.fields if obj else ()

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        without_token = User.objects.filter(auth_token=None)
        return super().formfield_for_foreignkey(db_field, request, queryset=without_token, **kwargs)

    def save_model(self, request, obj, form, change):
        token = replace_token(obj.user_id)
        obj.key, obj.created = token.key, token.created

    def delete_model(self, request, obj):
        # Of DRF's own model: it has the real primary key, and its signals have receivers.
        Token.objects.filter(user_id=obj.user_id).delete()

    def response_add(self, request, obj, post_url_continue=None):
        return self._show_once(request, obj)

    def response_change(self, request, obj):
        return self._show_once(request, obj)

    def _show_once(self, request, token):
        """Answer with the token. A redirect would carry it in a cookie or in the session."""
        context = {**self.admin_site.each_context(request), "title": "New token", "token": token}
        return TemplateResponse(request, "admin/accounts/usertoken/issued.html", context)


def _without(keys, tree):
    """Return the tree of texts that the admin shows, with an id instead of each key."""
    if isinstance(tree, list):
        return [_without(keys, branch) for branch in tree]
    for key in keys:
        tree = tree.replace(key, token_id(key))
    return tree
