"""The mail about a publication as plain text, for those who read mails without pictures and colours."""

from collections.abc import Iterator, Sequence

from esg_assets.core.report_mail import Correction, ReportMail


def text_of(mail: ReportMail) -> str:
    """All of it; the first line says what the report is worth."""
    return "\n".join(_lines(mail))


def _lines(mail: ReportMail) -> Iterator[str]:
    yield f"{mail.worth}: {mail.title}."
    for warning in mail.warnings:
        yield from ("", warning)
    if mail.correction is not None:
        yield from ("", *_correction(mail.correction))
    yield ""
    yield from _table([(tile.label, tile.value, tile.of, *tile.changes[:1]) for tile in mail.figures])
    if mail.moves:
        yield from ("", mail.moves)
    if mail.page:
        yield from ("", f"The report's page: {mail.page}")
    if mail.histogram is not None:
        bars = [(bar.label, bar.text) for bar in mail.histogram.bars if bar.value != 0]
        yield from ("", f"{mail.histogram.title}:", *_table(bars))
    for note in mail.notes:
        yield from ("", note)
    yield ""
    yield from (f"{label}: {value}" for label, value in mail.facts)
    yield from ("", "-- ", mail.footer)


def _correction(correction: Correction) -> Iterator[str]:
    yield f"This corrects version {correction.of:,}. Why: {reason_of(correction)}."
    yield ""
    if not correction.changed:
        yield UNCHANGED
        return
    yield from _table(
        [
            (changed.label, f"{changed.before} -> {changed.now}", changed.difference)
            for changed in correction.changed
        ]
    )


UNCHANGED = "None of the figures in this mail has changed."


def reason_of(correction: Correction) -> str:
    """The reason without a full stop at its end."""
    return correction.reason.rstrip(". ") or "no reason was given"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns under each other; the first to the left."""
    widths = [max(len(row[n]) for row in rows if n < len(row)) for n in range(max(map(len, rows)))]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip()
