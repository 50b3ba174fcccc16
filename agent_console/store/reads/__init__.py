"""What screens and the API read: keyset pages, bounded counts, frozen values.

Every function takes an open ``Reader``, so a caller gets all of a page from one snapshot.
Statuses that a partial index covers are written as literals: the planners match an index
predicate to a constant, not to a parameter.
"""
