-- A connection comes.
-- KEYS  connections, roster, lock, due
-- ARGV  connection, short id, name
-- Says whether somebody has to be woken to tell the others.
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ at = at, short = ARGV[2], name = ARGV[3] }))
redis.call('INCR', KEYS[2])
if redis.call('EXISTS', KEYS[3]) == 0 and redis.call('SET', KEYS[4], 1, 'NX', 'PX', 1000) then
    return 1
end
return 0
