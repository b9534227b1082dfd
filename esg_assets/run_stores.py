"""The sealed stores of a run, the same for all of its resources.

Dagster makes a resource anew for each one that is built on it; then each would ask a KMS for the same
data key, and read the same chain. When the run's resources are gone, nothing of them is kept.
"""

from collections.abc import Callable
from weakref import WeakValueDictionary

import dagster as dg

from esg_assets.composition import SealedStores

_of_runs: WeakValueDictionary[str, SealedStores] = WeakValueDictionary()


def of_run(run: dg.DagsterRun | None, make: Callable[[], SealedStores]) -> SealedStores:
    """The stores of that run, by `make` if it has none yet; new ones where there is no run."""
    if run is None:
        return make()
    stores = _of_runs.get(run.run_id)
    if stores is None:
        stores = _of_runs[run.run_id] = make()
    return stores
