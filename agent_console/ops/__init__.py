"""What an operator puts beside the console: scrape config, dashboard, alerts, units, images.

Everything about metrics is made from the metrics that exist (``telemetry.metrics.catalogue``).
"""
