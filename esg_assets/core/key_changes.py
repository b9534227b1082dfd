"""Whether a publication was sealed to and signed with the same keys as the one before it in the chain."""

from collections.abc import Iterable
from dataclasses import dataclass

from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import Tampered
from esg_assets.core.verdicts import KEYS_UNCHANGED, Verdict

_SHOWN = 16


@dataclass(frozen=True)
class KeyChanges:
    """What differs between the keys of a publication and of the one before it.

    Attributes:
        before: sequence of the publication before, 0 if this is the first.
        recipients_added: fingerprints, sorted.
        recipients_removed: likewise.
        signer: fingerprint of the key that signed this one.
        signer_before: of the one before; "" if there is none.
    """

    before: int
    recipients_added: tuple[str, ...]
    recipients_removed: tuple[str, ...]
    signer: str
    signer_before: str

    @property
    def verdict(self) -> Verdict:
        """Whether nothing changed; a change is no fault, but somebody must know that it was wanted."""
        signer_changed = bool(self.before) and self.signer != self.signer_before
        changed = signer_changed or bool(self.recipients_added or self.recipients_removed)
        measured: dict[str, float | int | str] = {
            "recipients_added": ", ".join(self.recipients_added),
            "recipients_removed": ", ".join(self.recipients_removed),
            "signer": self.signer,
        }
        if signer_changed:
            measured["signer_before"] = self.signer_before
        return Verdict(
            KEYS_UNCHANGED,
            passed=not changed,
            severity="WARN",
            note=self._note(signer_changed=signer_changed, changed=changed),
            measured=measured,
        )

    def _note(self, *, signer_changed: bool, changed: bool) -> str:
        if not self.before:
            return "the first publication; there are no earlier keys to compare with"
        if not changed:
            return f"sealed to and signed with the same keys as entry {self.before}"
        parts = [
            *(f"recipient {name[:_SHOWN]}… added" for name in self.recipients_added),
            *(f"recipient {name[:_SHOWN]}… removed" for name in self.recipients_removed),
        ]
        if signer_changed:
            parts.append(f"signed by {self.signer[:_SHOWN]}… in place of {self.signer_before[:_SHOWN]}…")
        return (
            f"the keys differ from those of entry {self.before}: {'; '.join(parts)}. If nobody ordered this, "
            "look at ESG_REPORT_RECIPIENTS and ESG_SIGNING_KEY at once"
        )


def key_changes(entries: Iterable[Entry], sequence: int) -> KeyChanges:
    """Compare the publication that is entry `sequence` with the one before it.

    Args:
        entries: verified ones of the chain, ascending.
        sequence: of a publish entry.

    Raises:
        Tampered: there is no such entry.
    """
    published = [entry for entry in entries if entry.kind is Kind.PUBLISH and entry.sequence <= sequence]
    if not published or published[-1].sequence != sequence:
        raise Tampered(f"Comparing keys: entry {sequence} of the chain is no publication.")
    now = published[-1]
    if len(published) == 1:
        return KeyChanges(0, (), (), now.key_name, "")
    before = published[-2]
    then, today = set(before.body["recipients"]), set(now.body["recipients"])
    return KeyChanges(
        before=before.sequence,
        recipients_added=tuple(sorted(today - then)),
        recipients_removed=tuple(sorted(then - today)),
        signer=now.key_name,
        signer_before=before.key_name,
    )
