"""`python -m esg_assets.simulators`: the simulators in the foreground."""

import argparse
import sys
from collections.abc import Sequence

from esg_assets.simulators.csv_input import WrongInput
from esg_assets.simulators.options import Options, add_arguments, options_from
from esg_assets.simulators.server import run_as_child, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and serve; exit status 0 when it was stopped, 2 for wrong usage or input."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if given == ["--as-child"]:
            run_as_child()
            return 0
        parser = argparse.ArgumentParser(
            prog="esg-assets simulate",
            description="The account system and the ESG API on one port, with faults to order.",
        )
        add_arguments(parser)
        options = options_from(parser.parse_args(given))
        serve(options, lambda url: _announce(options, url))
    except (ValueError, WrongInput, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _announce(options: Options, url: str) -> None:
    limit = f"{options.rate:g}/s, burst {options.burst_in_force:g}" if options.rate else "none"
    sys.stdout.write(f"Account system and ESG API on {url}  (rate limit: {limit}; auth: {options.auth})\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
