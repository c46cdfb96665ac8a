"""SNS's CloudFormation types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...resources import Call, Params, Resource, View

TOPIC = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig", "DeliveryPolicy")
FIFO = ("ContentBasedDeduplication", "FifoTopic")
SUBSCRIPTION = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy",
    "SubscriptionRoleArn",
)  # fmt: skip
DEFAULTS = {
    "RawMessageDelivery": "false",
    "FilterPolicyScope": "MessageAttributes",
    "TracingConfig": "PassThrough",
}
"""What a property that leaves the template goes back to; the others become empty."""
_GONE = frozenset({"NotFound"})


def _create_topic(view: View) -> Params:
    given = {name: view.new[name] for name in TOPIC if name in view.new}
    given |= {name: view.new[name] for name in FIFO if str(view.new.get(name, "false")).lower() != "false"}
    tags = {"Tags": view.new["Tags"]} if view.new.get("Tags") else {}
    return {"Name": view.new["TopicName"], "Attributes": given, **tags}


def _set_topic(view: View) -> Sequence[Params]:
    return [
        {
            "TopicArn": view.id,
            "AttributeName": name,
            "AttributeValue": view.new.get(name, DEFAULTS.get(name, "")),
        }
        for name in TOPIC
        if view.changed(name)
    ]


def _inline(view: View) -> list[tuple[str, Any]]:
    return [(one["Protocol"], one["Endpoint"]) for one in view.new.get("Subscription") or ()]


def _subscribe_inline(view: View) -> Sequence[Params]:
    known = [(one["Protocol"], one["Endpoint"]) for one in view.old.get("Subscription") or ()]
    arn = view.made.get("TopicArn") or view.id
    return [
        {"TopicArn": arn, "Protocol": protocol, "Endpoint": endpoint}
        for protocol, endpoint in _inline(view)
        if (protocol, endpoint) not in known
    ]


def _tag(view: View) -> Sequence[Params]:
    tags = view.new.get("Tags") or []
    return [{"ResourceArn": view.id, "Tags": tags}] if tags else []


def _untag(view: View) -> Sequence[Params]:
    kept = {tag["Key"] for tag in view.new.get("Tags") or ()}
    gone = [tag["Key"] for tag in view.old.get("Tags") or () if tag["Key"] not in kept]
    return [{"ResourceArn": view.id, "TagKeys": gone}] if gone else []


def _subscribe(view: View) -> Params:
    given = {name: view.new[name] for name in SUBSCRIPTION if name in view.new}
    return {
        "TopicArn": view.new["TopicArn"],
        "Protocol": view.new["Protocol"],
        "Endpoint": view.new["Endpoint"],
        "ReturnSubscriptionArn": True,
        "Attributes": given,
    }


def _set_subscription(view: View) -> Sequence[Params]:
    # A filter policy is read in its scope: it goes before its scope narrows, and comes after it has widened.
    changed = [name for name in SUBSCRIPTION if view.changed(name)]
    steps = [(name, view.new.get(name, DEFAULTS.get(name, ""))) for name in changed]
    if "FilterPolicyScope" in changed:
        steps = [("FilterPolicy", ""), *sorted(steps, key=lambda step: step[0] != "FilterPolicyScope")]
        if "FilterPolicy" not in changed:
            steps.append(("FilterPolicy", view.new.get("FilterPolicy", "")))
    return [
        {"SubscriptionArn": view.id, "AttributeName": name, "AttributeValue": value} for name, value in steps
    ]


def _topics(properties: Params) -> list[str]:
    """Of a TopicPolicy, or the one of a TopicInlinePolicy."""
    found: list[str] = properties["Topics"] if "Topics" in properties else [properties["TopicArn"]]
    return found


def _put_policy(view: View) -> Sequence[Params]:
    return [
        {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": view.new["PolicyDocument"]}
        for topic in _topics(view.new)
    ]


def _leave_policy(view: View) -> Sequence[Params]:
    left = [topic for topic in view.old["Topics"] if topic not in view.new["Topics"]]
    return [{"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": ""} for topic in left]


def _delete_policy(view: View) -> Sequence[Params]:
    return [
        {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": ""} for topic in _topics(view.new)
    ]


RESOURCES: dict[str, Resource] = {
    "AWS::SNS::Topic": Resource(
        name="TopicName",
        name_max=256,
        create=[
            Call("sns", "CreateTopic", _create_topic),
            Call("sns", "Subscribe", _subscribe_inline),
        ],
        update=[
            Call("sns", "SetTopicAttributes", _set_topic, when=set(TOPIC)),
            Call("sns", "UntagResource", _untag, when={"Tags"}),
            Call("sns", "TagResource", _tag, when={"Tags"}),
            Call("sns", "Subscribe", _subscribe_inline, when={"Subscription"}),
        ],
        delete=[Call("sns", "DeleteTopic", lambda view: {"TopicArn": view.id}, gone=_GONE)],
        id="{TopicArn}",
        attributes={"TopicArn": "{TopicArn}", "TopicName": "{TopicName}"},
        replace={"TopicName", "FifoTopic"},
    ),
    "AWS::SNS::Subscription": Resource(
        required={"Protocol", "TopicArn"},
        create=[Call("sns", "Subscribe", _subscribe)],
        update=[Call("sns", "SetSubscriptionAttributes", _set_subscription, when=set(SUBSCRIPTION))],
        delete=[Call("sns", "Unsubscribe", lambda view: {"SubscriptionArn": view.id}, gone=_GONE)],
        id="{SubscriptionArn}",
        attributes={"Arn": "{SubscriptionArn}"},
        replace={"Endpoint", "Protocol", "TopicArn"},
        ignore={"Region", "ReplayPolicy"},
    ),
    "AWS::SNS::TopicPolicy": Resource(
        required={"PolicyDocument", "Topics"},
        create=[Call("sns", "SetTopicAttributes", _put_policy)],
        update=[
            Call("sns", "SetTopicAttributes", _leave_policy, when={"Topics"}, gone=_GONE),
            Call("sns", "SetTopicAttributes", _put_policy),
        ],
        delete=[Call("sns", "SetTopicAttributes", _delete_policy, gone=_GONE)],
        id="{stack_name}-{logical_id}",
    ),
    "AWS::SNS::TopicInlinePolicy": Resource(
        required={"PolicyDocument", "TopicArn"},
        create=[Call("sns", "SetTopicAttributes", _put_policy)],
        update=[Call("sns", "SetTopicAttributes", _put_policy)],
        delete=[Call("sns", "SetTopicAttributes", _delete_policy, gone=_GONE)],
        id="{TopicArn}",
        replace={"TopicArn"},
    ),
}
