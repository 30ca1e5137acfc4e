"""`evo resume`: go on with a campaign that was stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from evo.commands.placement import add_placement


def configure(command: argparse.ArgumentParser) -> None:
    """Go on with a campaign that was stopped."""
    command.add_argument("folder", type=Path, metavar="DIR")
    add_placement(command)


def execute(options: argparse.Namespace) -> int:
    """Go on, on the device and with the engine that the campaign was begun with."""
    from evo.recorded import campaign_file, recorded_campaign

    described = campaign_file(options.folder)
    device = options.device or described["device"]
    engine = described["engine"] if device == described["device"] else ""
    campaign, source = recorded_campaign(options.folder)
    campaign.run(
        options.workers, device, options.folder, resume=True, engine=engine, source=source, backend=options.backend
    )
    return 0
