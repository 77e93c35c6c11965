"""Where log records go."""
