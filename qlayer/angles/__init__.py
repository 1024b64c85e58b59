"""What a quantum function calculates between its arguments and its gates."""
