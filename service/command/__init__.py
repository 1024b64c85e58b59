"""Commands: what `python -m service` does beside serving."""
