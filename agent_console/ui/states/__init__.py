"""One state per page: view models and flags; the services do the work."""
