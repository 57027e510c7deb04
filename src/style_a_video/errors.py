"""The one error that the command line turns into one line and exit code 2."""


class InputError(ValueError):
    """Something that was given cannot be used. The message names the problem and the remedy, in one line."""
