"""Tests of EC2's networks."""
