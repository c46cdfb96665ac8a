"""IAM's policy language: documents, conditions, and AWS's order of deciding. Pure: it knows no service and no store.

`documents.parsed(text)` compiles a document once; `decision.decide` weighs those that bear on a request.
"""
