"""The external ESG Portfolio Analysis API."""
