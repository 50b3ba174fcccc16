"""One router per resource. Endpoints are plain functions: they run in the thread pool."""
