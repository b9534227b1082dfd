"""Which store this is: a random id made once, so that nothing of another store passes for its own.

The id goes into every signature and every encryption context. The object holds the environment too:
a `dev` setting that points at the store of `prod` is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

from esg_assets.core import canonical_json
from esg_assets.core.errors import KeyExists, KeyMissing, Refused, Tampered
from esg_assets.core.ports import ObjectStore

KEY = "store_id"
"""Name of the object that holds the id."""


@dataclass(frozen=True)
class StoreIdentity:
    """What is signed and sealed about the place: ESG_ENV and the store's id (32 hex digits)."""

    environment: str
    store: str


def find(store: ObjectStore, environment: str) -> StoreIdentity | None:
    """The identity of `store`, or None if it has none yet.

    Raises:
        Refused: the store belongs to another environment.
        Tampered: the object is not one that `ensure` writes.
    """
    try:
        data = store.read(KEY)
    except KeyMissing:
        return None
    found = parse(data)
    if found is None:
        raise Tampered("Reading the store's id: the object `store_id` is damaged. Restore it from a copy.")
    if found.environment != environment:
        raise Refused(
            f"Opening a store: it belongs to the environment {found.environment!r}, this is {environment!r}. "
            "Set ESG_ENV, or ESG_STORE_URL and ESG_WORK_URL, so that they belong together."
        )
    return found


def ensure(store: ObjectStore, environment: str, random: Callable[[int], bytes]) -> StoreIdentity:
    """The identity of `store`, made now if it has none yet; two makers agree on one.

    Raises:
        Refused, Tampered: as `find`.
    """
    found = find(store, environment)
    if found is not None:
        return found
    made = StoreIdentity(environment=environment, store=random(16).hex())
    try:
        store.create(KEY, _encode(made))
    except KeyExists:
        pass  # another process was first: its id is the store's
    else:
        return made
    found = find(store, environment)
    if found is None:
        raise Tampered("Making the store's id: the object `store_id` exists and cannot be read.")
    return found


def parse(data: bytes) -> StoreIdentity | None:
    """The identity that the object's bytes tell, None if these are not the bytes that `ensure` writes."""
    try:
        value = canonical_json.loads(data)
        found = StoreIdentity(environment=str(value["environment"]), store=str(value["store"]))
    except (ValueError, KeyError, TypeError):
        return None
    return found if _encode(found) == data else None


def _encode(identity: StoreIdentity) -> bytes:
    value = {"schema": 1, "environment": identity.environment, "store": identity.store}
    return canonical_json.dumps(value)
