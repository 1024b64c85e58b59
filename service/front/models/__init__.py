"""One version of a model: its workers, and how requests are put together for them."""
