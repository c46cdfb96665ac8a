-- A connection comes.
-- KEYS  connections, roster, lock, due, watch
-- ARGV  connection, short id, name
-- Says in how many seconds somebody has to look whether there is something to tell; -1: nobody has to.
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ at = at, short = ARGV[2], name = ARGV[3] }))
redis.call('INCR', KEYS[2])
if redis.call('EXISTS', KEYS[3]) == 1 then
    return redis.call('SET', KEYS[5], 1, 'NX', 'PX', 10000) and 6 or -1
end
return redis.call('SET', KEYS[4], 1, 'NX', 'PX', 1000) and 0 or -1
