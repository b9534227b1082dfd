"""Metrics against the real Prometheus, Alertmanager and Pushgateway, and the dashboard that is made here."""
