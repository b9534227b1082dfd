"""Canaries: recognisable accounts and secrets, planted anew for each failure mode, and searched everywhere.

Rooms: `planted` (the canaries), `ground` (an installation and every place that is written to),
`*_modes` (what goes wrong), `suite` (all modes, run and searched), `table` (docs/canaries.md).

Something new that is written to (alerts that wait in the database, mails, metrics, structured logs,
pages of the site) comes in by four steps:

1. It must end where the search looks. Files and rows below `Ground.written` and the house's home do so
   by themselves. What leaves the process (a mail, a push, an answer to a scrape) is caught by a server of
   the test on loopback, and its raw bytes put into `Ground.texts`; headers and trailers too.
2. Its modes: one in which all goes well, one for each way its other side fails (refuses, repeats what it
   was sent, hangs up), one for each exception of ours in it, and one of its command if it has one. Each
   mode asserts that it came about, and that something was written.
3. Whatever packs its text in a way that `leak_search` does not undo is taught there, with a test.
4. A line in `WAYS` of test_leaky_build.py, so that the search is shown to see the new place; then
   `python -m esg_assets_tests.canaries --write`, and the place in the list of docs/canaries.md.

What it may say without being a leak: counts, codes of ours, dates, figures that were let through. A
secret that belongs to it alone (a webhook's URL, a routing key, a password of SMTP) becomes a kind of its
own in `planted.KINDS`.
"""
