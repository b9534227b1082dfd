"""Stand-ins for alert channels, and what the outside makes of what they take."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from esg_assets.core.alerts.incidents import Message, State
from esg_assets.core.alerts.kinds import Family


class ScriptedChannel:
    """Channel by a script: the n-th delivery meets the n-th fault, later ones none.

    Args:
        name: one of `routes.CHANNELS`.
        script: exceptions to raise, functions to call with the message (to wait, to fail by it), None.
        always: called with each message that the script lets through, before it counts as taken.
    """

    def __init__(
        self,
        name: str,
        script: Iterable[Exception | Callable[[Message], None] | None] = (),
        *,
        always: Callable[[Message], None] = lambda message: None,
    ) -> None:
        self.taken: list[Message] = []
        self.tried: list[Message] = []
        self._name = name
        self._script = list(script)
        self._always = always
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    def deliver(self, message: Message) -> str:
        with self._lock:
            nth = len(self.tried)
            self.tried.append(message)
        fault = self._script[nth] if nth < len(self._script) else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            fault(message)
        self._always(message)
        with self._lock:
            self.taken.append(message)
            return f"{self._name} {len(self.taken)}"


@dataclass
class PagerBook:
    """PagerDuty's side: one incident for each dedup key, however often it is triggered while open.

    Attributes:
        opened: how often an incident of that key began to page; twice is a double.
        open_keys: keys that page at this moment.
        stray_ends: keys that were resolved without being open.
    """

    opened: Counter[str] = field(default_factory=Counter)
    open_keys: set[str] = field(default_factory=set)
    stray_ends: Counter[str] = field(default_factory=Counter)

    def take(self, message: Message) -> None:
        key = message.incident.key
        if message.state is State.RESOLVED:
            # A repeat of an end finds nothing open; that shows nowhere.
            if key not in self.opened:
                self.stray_ends[key] += 1
            self.open_keys.discard(key)
            return
        if key not in self.open_keys:
            self.opened[key] += 1
            if message.incident.kind.family is not Family.NOTICE:
                self.open_keys.add(key)
