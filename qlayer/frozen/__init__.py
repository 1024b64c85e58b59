"""Circuits with constant weights."""
