"""Bytes to arrays and back, for each protocol."""
