"""The operations of SNS, by noun."""

from .permissions import add_permission, remove_permission
from .phones import get_sms_attributes, set_sms_attributes
from .publishing import publish, publish_batch
from .subscribing import confirm_subscription, subscribe, unsubscribe
from .subscriptions import (
    get_subscription_attributes,
    list_subscriptions,
    list_subscriptions_by_topic,
    set_subscription_attributes,
)
from .tags import list_tags_for_resource, tag_resource, untag_resource
from .topics import create_topic, delete_topic, get_topic_attributes, list_topics, set_topic_attributes

__all__ = [
    "add_permission",
    "confirm_subscription",
    "create_topic",
    "delete_topic",
    "get_sms_attributes",
    "get_subscription_attributes",
    "get_topic_attributes",
    "list_subscriptions",
    "list_subscriptions_by_topic",
    "list_tags_for_resource",
    "list_topics",
    "publish",
    "publish_batch",
    "remove_permission",
    "set_sms_attributes",
    "set_subscription_attributes",
    "set_topic_attributes",
    "subscribe",
    "tag_resource",
    "unsubscribe",
    "untag_resource",
]
