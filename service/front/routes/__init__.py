"""Routes: read the request, call the core, write the reply."""
