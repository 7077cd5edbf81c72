"""Where experiments are logged to; each tracker is loaded only where it is asked."""
