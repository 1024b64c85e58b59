"""The serving benchmark: our server and its rivals, one after the other, under the same load."""
