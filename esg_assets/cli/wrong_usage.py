"""What is said of a command line that is wrong: never what stood in the place of an argument or of a value.

It may be an account's id, and what is said ends in logs of schedulers and shells. Which options and
arguments there are is typer's affair; settings are `esg_assets.settings`.
"""

from collections.abc import Sequence

import typer

_NO_CHOICE = " is not one of "
_OF_ONE_ACCOUNT = ("report", "account")
_ID_BY_STANDARD_INPUT = (
    "`report account` reads the account's id from standard input, one line, and takes it neither as an "
    "argument nor as an option, since the list of processes and the shell's history would hold it: "
    "esg-assets report account --from D --to D --key … < FILE"
)


def without_values(error: typer.TyperException, arguments: Sequence[str]) -> str:
    """The message of a usage error; also put into it, for whoever shows the error itself.

    Args:
        error: as typer raises it.
        arguments: of the command line.
    """
    error.message = _said(error, arguments)
    return error.format_message()


def _said(error: typer.TyperException, arguments: Sequence[str]) -> str:
    message = error.message
    surplus = message.startswith("Got unexpected extra argument")
    unknown = type(error).__name__ == "NoSuchOption" and not getattr(error, "possibilities", None)
    if (surplus or unknown) and tuple(arguments[:2]) == _OF_ONE_ACCOUNT:
        return _ID_BY_STANDARD_INPUT
    if surplus:
        return "There are more arguments than this command takes; they are not repeated here."
    if "does not match the format" in message:
        return "wanted is a date, YYYY-MM-DD."
    if _NO_CHOICE in message:
        return f"wanted is one of {message.rpartition(_NO_CHOICE)[2]}"
    return message
