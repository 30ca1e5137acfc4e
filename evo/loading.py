"""Loading a user's Python file, which is code and trusted as such (champion files are data and are not)."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from evo.run import CampaignError

if TYPE_CHECKING:
    from evo.campaign import Campaign


def run_file(path: Path) -> ModuleType:
    """Return the module made by running a Python file; imports beside it work, and worker processes get its code.

    Raises:
        FileNotFoundError: there is no such file.
        Exception: whatever the file raises.
    """
    from evo.evaluation.packing import register_by_value

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; give the path of a Python file that makes a Campaign")
    name = f"evo_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CampaignError(f"{path}: not a Python file; its name should end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # and it stays there: worker processes start with this process's path
    spec.loader.exec_module(module)
    register_by_value(module)
    return module


def load_module(path: Path) -> ModuleType:
    """Do as `run_file` does, but tell what the file raises as CampaignError, with the traceback of its own lines."""
    try:
        return run_file(path)
    except (FileNotFoundError, CampaignError):
        raise
    except (Exception, SystemExit) as error:
        raise CampaignError(f"{path} failed while it was loaded:\n{_in_file(error)}") from None


def _in_file(error: BaseException) -> str:
    """Return the error's traceback without the frames of this package and of the import machinery."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = str(Path(__file__).parent)
    shown = [one for one in frames if not one.filename.startswith((ours, "<frozen importlib"))]
    return "".join([*traceback.format_list(shown), *traceback.format_exception_only(error)]).rstrip()


def load_campaign(path: Path) -> Campaign:
    """Return the campaign that a Python file makes: its variable `campaign`, or its only Campaign.

    Raises:
        CampaignError: there is none, or there are several and none is called `campaign`.
    """
    from evo.campaign import Campaign

    found = {name: value for name, value in vars(load_module(path)).items() if isinstance(value, Campaign)}
    if "campaign" in found:
        return found["campaign"]
    if len({id(campaign) for campaign in found.values()}) != 1:
        raise CampaignError(
            f"{path}: expected a variable `campaign = evo.Campaign(...)` at the top level, found "
            f"{'several campaigns: ' + ', '.join(found) if found else 'no Campaign'}"
        )
    return next(iter(found.values()))
