"""The REST door: routes, schemas, problems, and the guard in front of them."""
