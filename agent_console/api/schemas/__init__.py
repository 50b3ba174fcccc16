"""What goes over the wire: camelCase, instants in UTC with ``Z``."""
