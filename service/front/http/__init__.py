"""HTTP: connections, bodies, replies; nothing of models."""
