"""The Django project under test: one ASGI application a contestant, chosen by the environment."""
