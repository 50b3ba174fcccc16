"""Parts of pages: pure functions of their arguments."""
