"""Alerts: what can be wrong, what was seen of it, what follows from that, and who is told.

`kinds` names what can be wrong, `incidents` are the values, `ledger` the rules from one to the next,
`recording` applies them to a batch, `routes` the audiences and channels, `backoff` says when a delivery
is tried again, `wording` has the words, and `ports` what adapters have to offer.
Nothing here names an account: facts are counts, fixed words and names of our own.
"""
