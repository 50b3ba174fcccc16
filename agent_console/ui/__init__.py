"""The console in the browser: pages, their states, and what they share."""
