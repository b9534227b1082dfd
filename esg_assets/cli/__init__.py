"""The command line. `main` runs it; each other module holds some commands and registers them."""
