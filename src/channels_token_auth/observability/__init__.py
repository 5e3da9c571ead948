"""Audit records, and the filter that keeps credentials out of logs."""
