"""cml-run: one command turns a push to a machine-learning repository into a reviewed experiment."""

__version__ = "0.1.0"
