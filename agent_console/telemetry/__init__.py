"""Listeners that tell what the console does: metrics, log lines, error reports.

Nothing in the product waits for them or depends on them; only the composition root knows them.
"""
