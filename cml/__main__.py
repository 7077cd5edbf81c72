"""The way in for `python -m cml` and for the installed command."""

from cml.cli import main

if __name__ == "__main__":
    main()
