"""The real console, driven through a real browser."""
