"""Which versions there are, which have workers, and how they come and go."""
