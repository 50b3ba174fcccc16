"""The rooms's doors to the outside: the only code that touches files, network and secrets."""
