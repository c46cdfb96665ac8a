-- Where somebody's pointer is.
-- KEYS  connections, cursors, lock, due
-- ARGV  connection, x, y
-- Says whether somebody has to be woken to tell the others.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then
    return 0
end
local connection = cjson.decode(known)
local cursor = cjson.encode({ connection.short, connection.name, tonumber(ARGV[2]), tonumber(ARGV[3]) })
redis.call('HSET', KEYS[2], ARGV[1], cursor)
if redis.call('EXISTS', KEYS[3]) == 0 and redis.call('SET', KEYS[4], 1, 'NX', 'PX', 1000) then
    return 1
end
return 0
