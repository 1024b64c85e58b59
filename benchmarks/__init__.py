"""The benchmark: qlayer against everything a user could pick instead. See README.md in this folder."""
