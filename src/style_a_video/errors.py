"""The one error that the command line turns into one line and exit code 2."""


class InputError(ValueError):
    """Something the user gave cannot be used. The message names the problem and the remedy, in one line."""
