"""What we build on: the lock file, the search for known vulnerabilities, and the tests of both."""
