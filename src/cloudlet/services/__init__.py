"""The services. Each folder has `operations`, `validation`, `storage` and `model`, and a `SERVICE` in its `__init__`.

No service imports another; they meet through `ctx.call`.
"""

FOLDERS = (
    "sts",
    "iam",
    "logs",
    "dynamodb",
    "sqs",
    "lambda_",
    "apigateway",
    "cloudformation",
    "s3",
    "ec2",
    "cloudfront",
    "elasticache",
    "scheduler",
    "sns",
    "translate",
)
