"""The command line. One module per command; each is told of mistakes before anything heavy is imported."""

from __future__ import annotations

import signal
import sys
import warnings
from typing import Annotated, Any

import typer
from rich.text import Text

from .. import __version__
from ..errors import InputError
from ..settings import Settings
from .ablate import ablate
from .batch import batch
from .compare import compare
from .demo import demo
from .doctor import doctor
from .evaluate import evaluate
from .live import live
from .styles import styles
from .stylize import stylize
from .terminal import tell
from .train import train
from .web import web

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """A clip and a sentence in, the same clip in that style out."""


SETTINGS = frozenset(Settings.model_fields)
for command in (stylize, web, live, batch, demo, styles, evaluate, compare, ablate, train, doctor):
    app.command()(command)


def main() -> None:
    """Entry point: a mistake is one line and exit code 2, Ctrl-C one line and 130."""
    warnings.showwarning = _show_warning
    for name in ("SIGTERM", "SIGHUP"):  # of schedulers, and of closed terminals; Windows has no SIGHUP
        # nohup has HUP ignored, and it stays so.
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), _stop)
    try:
        # Typer hands back 130 for Ctrl-C instead of raising it.
        code = app(standalone_mode=False)
        if code == 130:
            raise KeyboardInterrupt
        sys.exit(code or 0)
    except InputError as error:
        _fail(_with_flag(str(error)), 2)
    except (typer.Abort, KeyboardInterrupt):
        _fail("stopped", 130)
    except _Stopped as stopped:
        _fail("stopped", 128 + stopped.number)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except Exception as error:
        # click's own usage errors know how to tell themselves.
        if not hasattr(error, "format_message"):
            raise
        if error.format_message().startswith("Usage:"):  # who says nothing gets help
            typer.echo(error.format_message())
            sys.exit(2)
        _fail(_usage(error), 2)


class _Stopped(BaseException):
    """Ends a command as Ctrl-C does: what is open is closed, what is half-written goes."""

    def __init__(self, number: int) -> None:
        self.number = number


def _stop(number: int, _: object) -> None:
    raise _Stopped(number)


FLAGS = {"num_inference_steps": "--steps", "start_s": "--start", "end_s": "--end"}
"""Settings whose option has another name."""


def _usage(error: Any) -> str:
    """What click says of a mistake, and where help is."""
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    if "unexpected extra argument" in message:
        message += " (put the sentence in quotes)"
    command = error.ctx.command_path if getattr(error, "ctx", None) else "style-a-video"
    return f"{message}; {command} --help lists what there is"


def _with_flag(message: str) -> str:
    """A message about a setting, with its option in place of its name in Python."""
    name = message.partition(" ")[0]
    return message.replace(name, FLAGS.get(name, f"--{name.replace('_', '-')}"), 1) if name in SETTINGS else message


def _fail(message: str, code: int) -> None:
    line = " ".join(message.split())
    tell(Text("error: ", style="bold red") + Text(line), "error", message=line, code=code)
    sys.exit(code)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning) and not issubclass(category, DeprecationWarning | FutureWarning):
        tell(Text("note: ", style="bold yellow") + Text(str(message)), "note", message=str(message))
