"""Username and password in, token out; and a new token in the place of the old one."""

from django.contrib.auth import authenticate
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework import serializers, status
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import replace_token
from accounts.throttles import LoginAddressThrottle, LoginUsernameThrottle, SignOutThrottle

__all__ = ["LoginView", "SignOutEverywhereElseView"]


class CredentialsSerializer(serializers.Serializer):
    """What the form sends. Blank is wrong rather than missing."""

    username = serializers.CharField(max_length=150, allow_blank=True)
    password = serializers.CharField(max_length=4096, allow_blank=True, trim_whitespace=False)


@method_decorator(never_cache, name="dispatch")
class LoginView(APIView):
    """Exchanges a username and a password for the user's token."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (LoginAddressThrottle, LoginUsernameThrottle)

    def post(self, request):
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        # For an unknown, an inactive and a real user alike this hashes one password, so neither
        # the answer nor its time tells which usernames exist.
        user = authenticate(request, **credentials.validated_data)
        if user is None:
            return Response(
                {"user_not_found": "No user has this username and password."},
                status=status.HTTP_400_BAD_REQUEST,
            )
        # An administrator may have deleted the one it was created with.
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})


class TokenOrBearerAuthentication(TokenAuthentication):
    """DRF's own, by both schemes that a socket's header may have."""

    def authenticate(self, request):
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.authenticate_credentials(key.strip())
        return super().authenticate(request)


@method_decorator(never_cache, name="dispatch")
class SignOutEverywhereElseView(APIView):
    """Replaces the token that asks: every socket of the old one is closed, on every device.

    Here a user has one token for all his devices, so whoever stays gets a new one.
    """

    authentication_classes = (TokenOrBearerAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (SignOutThrottle,)

    def post(self, request):
        return Response({"token": replace_token(request.user.pk).key})
