"""Agents that research, write and report; written with the public SDK."""
