"""The commands of `evo`, one per file: each adds its arguments in `configure`, and works in `execute`.

The first line of `configure`'s docstring is the command's line in `evo --help`.
"""

COMMANDS = (
    "run",
    "resume",
    "watch",
    "replay",
    "show",
    "gallery",
    "figure",
    "table",
    "best",
    "eval",
    "weights",
    "import",
    "export",
    "list",
    "check",
)
"""Names, in the order of the help."""


def module_of(command: str) -> str:
    """Return the module of a command; Python keeps the word `import` for itself."""
    return f"evo.commands.{'import_' if command == 'import' else command}"
