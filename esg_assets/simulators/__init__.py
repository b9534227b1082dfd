"""Simulators of the account system and the ESG API; they import nothing else of this package.

So they cannot share a mistake with the client that is tested against them. `server` runs them,
`options` says what they can be told, `faults` which fault meets which try, `contracts/` holds the
OpenAPI files that they keep to.
"""
