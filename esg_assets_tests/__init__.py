"""Tests, by floor: unit, adapters, contract, simulators, pipeline, e2e, proof, bench."""
