"""Username and password in, token out."""

from django.contrib.auth import authenticate
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework import serializers, status
from rest_framework.authtoken.models import Token
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.throttles import LoginAddressThrottle, LoginUsernameThrottle

__all__ = ["LoginView"]


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
