"""Cloudlet runs serverless realtime applications on one's own machine, over AWS's protocols."""

__version__ = "0.1.0"
