"""One file for each contestant: a program that the driver runs in that contestant's own environment."""
