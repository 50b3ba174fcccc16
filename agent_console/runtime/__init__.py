"""Runs jobs: registry, context, executor, worker, sweeps. A door beside the API and the screens."""
