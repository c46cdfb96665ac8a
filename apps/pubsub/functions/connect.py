"""$connect: lets everybody in."""


def handler(event, context):
    return {"statusCode": 200}
