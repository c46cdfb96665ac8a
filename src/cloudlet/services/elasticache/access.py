"""Access strings: which rules of Valkey's access control a user may have, and the lines that a server gets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from . import model


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMANDS = _words(
    """
acl append asking auth bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos blmove blmpop blpop brpop
brpoplpush bzmpop bzpopmax bzpopmin client cluster clusterscan command commandlog config copy dbsize debug decr
decrby del delifeq discard dump echo eval eval_ro evalsha evalsha_ro exec exists expire expireat expiretime
failover fcall fcall_ro flushall flushdb function geoadd geodist geohash geopos georadius georadius_ro
georadiusbymember georadiusbymember_ro geosearch geosearchstore get getbit getdel getex getrange getset hdel
hello hexists hexpire hexpireat hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat hkeys hlen hmget
hmset hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield hscan hset hsetex hsetnx hstrlen httl hvals
incr incrby incrbyfloat info keys lastsave latency lcs lindex linsert llen lmove lmpop lolwut lpop lpos lpush
lpushx lrange lrem lset ltrim memory mget migrate module monitor move mset msetex msetnx multi object persist
pexpire pexpireat pexpiretime pfadd pfcount pfdebug pfmerge pfselftest ping psetex psubscribe psync pttl publish
pubsub punsubscribe quit randomkey readonly readwrite rename renamenx replconf replicaof reset restore
restore-asking role rpop rpoplpush rpush rpushx sadd save scan scard script sdiff sdiffstore select set setbit
setex setnx setrange shutdown sinter sintercard sinterstore sismember slaveof slowlog smembers smismember smove
sort sort_ro spop spublish srandmember srem sscan ssubscribe strlen subscribe substr sunion sunionstore
sunsubscribe swapdb sync time touch ttl type unlink unsubscribe unwatch wait waitaof watch xack xadd xautoclaim
xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange xsetid xtrim zadd zcard zcount zdiff
zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange
zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange
zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion zunionstore
"""
)
SUBCOMMANDS = _words(
    """
acl|cat acl|deluser acl|dryrun acl|genpass acl|getuser acl|help acl|list acl|load acl|log acl|save acl|setuser
acl|users acl|whoami client|caching client|capa client|getname client|getredir client|help client|id
client|import-source client|info client|kill client|list client|no-evict client|no-touch client|pause
client|reply client|setinfo client|setname client|tracking client|trackinginfo client|unblock client|unpause
cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|cancelslotmigrations
cluster|count-failure-reports cluster|countkeysinslot cluster|delslots cluster|delslotsrange cluster|failover
cluster|flushslot cluster|flushslots cluster|forget cluster|getkeysinslot cluster|getslotmigrations cluster|help
cluster|info cluster|keyslot cluster|links cluster|meet cluster|migrateslots cluster|myid cluster|myshardid
cluster|nodes cluster|replicas cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch
cluster|setslot cluster|shards cluster|slaves cluster|slot-stats cluster|slots cluster|syncslots commandlog|get
commandlog|help commandlog|len commandlog|reset command|count command|docs command|getkeys
command|getkeysandflags command|help command|info command|list config|get config|help config|resetstat
config|rewrite config|set function|delete function|dump function|flush function|help function|kill function|list
function|load function|restore function|stats latency|doctor latency|graph latency|help latency|histogram
latency|history latency|latest latency|reset memory|doctor memory|help memory|malloc-stats memory|purge
memory|stats memory|usage module|help module|list module|load module|loadex module|unload object|encoding
object|freq object|help object|idletime object|refcount pubsub|channels pubsub|help pubsub|numpat pubsub|numsub
pubsub|shardchannels pubsub|shardnumsub script|debug script|exists script|flush script|help script|kill
script|load script|show slowlog|get slowlog|help slowlog|len slowlog|reset xgroup|create xgroup|createconsumer
xgroup|delconsumer xgroup|destroy xgroup|help xgroup|setid xinfo|consumers xinfo|groups xinfo|help xinfo|stream
"""
)
CATEGORIES = _words(
    """
all keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow blocking
dangerous connection transaction scripting
"""
)
_WORDS = _words("on off allkeys allcommands nocommands resetkeys allchannels resetchannels clearselectors")
_PATTERN = re.compile(r"(~|&|%(R|W|RW)~)\S+")
_WITH_SUBCOMMANDS = frozenset(name.partition("|")[0] for name in SUBCOMMANDS)


def check(rules: str) -> None:
    """Refuse what a server would refuse: it takes all users or none."""
    for rule in rules.replace("(", " ( ").replace(")", " ) ").split():
        if rule in _WORDS or rule in "()" or _PATTERN.fullmatch(rule) or _is_command(rule):
            continue
        raise model.invalid(f"Access String contains an invalid rule: {rule}")
    if rules.count("(") != rules.count(")"):
        raise model.invalid("Access String contains unmatched parentheses.")


def _is_command(rule: str) -> bool:
    if rule[:1] not in "+-":
        return False
    name = rule[1:].lower()
    if name.startswith("@"):
        return name[1:] in CATEGORIES
    command, bar, _ = name.partition("|")
    if not bar or command in _WITH_SUBCOMMANDS:
        return name in COMMANDS or name in SUBCOMMANDS
    return command in COMMANDS and rule[0] == "+"


def digest(password: str) -> str:
    """What is kept of a password."""
    return hashlib.sha256(password.encode()).hexdigest()


def line(name: str, rules: str, digests: Iterable[str]) -> str:
    """A user as a server's list has it; without a password there is none to ask for."""
    secrets = " ".join(f"#{each}" for each in digests)
    return f"{name} {rules} {secrets or 'nopass'} {model.RESTRICTED}"


def open_to_all() -> list[str]:
    """The users of a cache without access control."""
    return [line("default", OPEN, ())]


def by_token(digests: Iterable[str]) -> list[str]:
    return [line("default", OPEN, digests)]


def of_users(users: Iterable[dict[str, Any]]) -> list[str]:
    """The lines for a user group's users. Nobody is `default` unless one of them is."""
    lines = [line(user["login"], user["access"], user["digests"]) for user in users]
    if not any(text.startswith("default ") for text in lines):
        lines.append("default off resetpass")
    return lines


OPEN = "on ~* &* +@all"
