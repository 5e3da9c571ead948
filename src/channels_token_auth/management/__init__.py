"""What operators type: `manage.py token_…`."""
