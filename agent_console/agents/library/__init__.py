"""A small set of documents to work on when none is given: an invented product's rollout, CC0."""
