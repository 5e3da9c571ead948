"""Log in for a token, and sign out everywhere else by replacing it."""

from django.contrib.auth import authenticate
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework import serializers, status
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import replace_token, token_id
from accounts.parsers import CredentialsParser
from accounts.throttles import LoginAddressThrottle, LoginUsernameThrottle, SignOutThrottle
from channels_token_auth import connections

__all__ = ["LoginView", "SignOutEverywhereElseView"]

WRONG = "No user has this username and password."
MALFORMED = 'Send "username" and "password", as a form or as a JSON object.'


class CredentialsSerializer(serializers.Serializer):
    """Check the fields of a login. A blank one is wrong rather than missing."""

    username = serializers.CharField(max_length=150, allow_blank=True)
    password = serializers.CharField(max_length=4096, allow_blank=True, trim_whitespace=False)


@method_decorator(never_cache, name="dispatch")
class LoginView(APIView):
    """Exchange a username and a password for the user's token.

    Every other answer has the key `user_not_found`, whatever went wrong: the tutorial's clients
    look for this key, and take an answer without it for a token.
    """

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (CredentialsParser,)
    throttle_classes = (LoginAddressThrottle, LoginUsernameThrottle)

    def post(self, request):
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        # For an unknown, an inactive and a real user alike this hashes one password, so neither
        # the answer nor its time tells which usernames exist.
        user = authenticate(request, **credentials.validated_data)
        if user is None:
            return Response({"user_not_found": WRONG}, status=status.HTTP_400_BAD_REQUEST)
        # An administrator may have deleted the one it was created with.
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})

    def handle_exception(self, exc):
        if isinstance(exc, ParseError | serializers.ValidationError | UnsupportedMediaType):
            exc = ParseError(MALFORMED)
        response = super().handle_exception(exc)  # raises anything but an API error
        response.data = {"user_not_found": str(getattr(exc, "detail", exc))}
        return response


class TokenOrBearerAuthentication(TokenAuthentication):
    """Accept DRF's tokens by both schemes that the header of a handshake may have."""

    def authenticate(self, request):
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.authenticate_credentials(key.strip())
        return super().authenticate(request)


@method_decorator(never_cache, name="dispatch")
class SignOutEverywhereElseView(APIView):
    """Replace the caller's token, which closes the sockets of the old one on every device.

    Here a user has one token for all their devices, so the device that stays gets the new one.
    `closed` is the number of sockets that the old one had open.
    """

    authentication_classes = (TokenOrBearerAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (SignOutThrottle,)

    def post(self, request):
        closed = connections(token_id=token_id(request.auth.key), limit=0).total
        return Response({"token": replace_token(request.user.pk).key, "closed": closed})
