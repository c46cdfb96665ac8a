"""Modules that CloudFormation packs beside code that stands in a template."""
