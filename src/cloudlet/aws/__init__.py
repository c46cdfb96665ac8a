"""AWS on the wire: models, routing, protocols, constraints, signatures and the pipeline; it knows no service by name.

What botocore's models lack stands as data in `patches/<service>.json`.
"""
