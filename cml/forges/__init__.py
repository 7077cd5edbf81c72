"""Whom a record is told to."""
