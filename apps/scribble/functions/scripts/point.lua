-- Where somebody's pointer is.
-- KEYS  connections, cursors, lock, due, watch
-- ARGV  connection, x, y
-- Says in how many seconds somebody has to look whether there is something to tell; -1: nobody has to.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then
    return -1
end
local connection = cjson.decode(known)
local cursor = cjson.encode({ connection.short, connection.name, tonumber(ARGV[2]), tonumber(ARGV[3]) })
redis.call('HSET', KEYS[2], ARGV[1], cursor)
if redis.call('EXISTS', KEYS[3]) == 1 then
    return redis.call('SET', KEYS[5], 1, 'NX', 'PX', 10000) and 6 or -1
end
return redis.call('SET', KEYS[4], 1, 'NX', 'PX', 1000) and 0 or -1
