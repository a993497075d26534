"""The help of a command: placeholders, choices and defaults, never Python's types.

Brackets mean one thing, that something may be left out; a vertical bar separates alternatives.
"""

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperOption


class Command(TyperCommand):
    """A command with this help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002  # private
        """Returns what follows the command's name in its usage line."""
        return ["[OPTIONS]", *map(usage, arguments(self))]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Writes the arguments and the options."""
        options = [each for each in self.get_params(ctx) if isinstance(each, TyperOption)]
        for title, parameters in (("Arguments", arguments(self)), ("Options", options)):
            if parameters:
                with formatter.section(title):
                    formatter.write_dl([(name(each), description(each)) for each in parameters])


def arguments(command: TyperCommand) -> list[TyperArgument]:
    """Returns the arguments of a command, in order."""
    return [each for each in command.params if isinstance(each, TyperArgument)]


def usage(argument: TyperArgument) -> str:
    """Returns an argument as the usage line has it: `CONFIG`, `[RUN]` or `[IMAGE...]`."""
    return name(argument) if argument.required else f"[{name(argument)}]"


def name(parameter: TyperArgument | TyperOption) -> str:
    """Returns what to type: `CONFIG`, `IMAGE...`, `--offline`, `--checkpoint best|last`."""
    metavar = parameter.metavar or ""
    if isinstance(parameter, TyperArgument):
        return metavar if parameter.nargs == 1 else f"{metavar}..."
    return f"{', '.join(parameter.opts)} {metavar}".rstrip()


def description(parameter: TyperArgument | TyperOption) -> str:
    """Returns a parameter's help and its default, where it has one."""
    default = parameter.default
    shown = f" [default: {default}]" if default and default is not True else ""
    return f"{parameter.help}{shown}"
