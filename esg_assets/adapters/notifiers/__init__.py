"""Channels of alerts: each hands a message over to one outside service, within five seconds.

`email`, `pagerduty`, `slack`, `apprise` and `heartbeat` are the channels; `bounds` holds each conversation to
its time and size, `answers` decides what an HTTP status means for a message. What is said is
`esg_assets.core.alerts.wording`'s, who is told `esg_assets.core.alerts.routes`'s.
"""
