"""The Django project under test: one ASGI application for each contestant, by environment."""
