"""Simulators of the account system and the ESG API; they import nothing else of this package."""
