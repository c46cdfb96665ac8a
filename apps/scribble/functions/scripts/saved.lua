-- Points have reached the table.
-- KEYS  unsaved, restored
-- ARGV  ids
-- Says the id at which the board was last restored, or ''.
redis.call('ZREM', KEYS[1], unpack(ARGV))
return redis.call('GET', KEYS[2]) or ''
