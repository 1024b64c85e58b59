"""What a SavedModel for serving is made of."""
