"""The only room with SQL: tables, writers, reads, and what two databases do differently."""
