"""The stories: each command that joins two rooms, told top to bottom."""
