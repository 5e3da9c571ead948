"""Revoke tokens because an identity provider reports a logout or a security event.

`tokens` and `subjects` are pure rules; `provider` verifies and finds users; `replays` accepts each
token once; `receiving` combines them. The endpoints are in `views.providers`.
"""
