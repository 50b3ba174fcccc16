"""What the tests share: databases, factories, transports that record."""
