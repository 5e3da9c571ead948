"""Verify signed tokens with PyJWT: keys, key servers, and what its errors mean."""
