"""The readers' pages: a month of reports, made through the same functions as the real ones."""
