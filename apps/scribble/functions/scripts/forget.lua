-- Connections go; of those that were found gone (410) only the ones that are not too young to be told from new ones.
-- KEYS  connections, roster, lock, due, watch, cursors
-- ARGV  ms that a connection must be old, connections
-- Says in how many seconds somebody has to look whether there is something to tell; -1: nobody has to.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gone = 0
for number = 2, #ARGV do
    local known = redis.call('HGET', KEYS[1], ARGV[number])
    if known then
        local connection = cjson.decode(known)
        if now - connection.at >= tonumber(ARGV[1]) then
            redis.call('HDEL', KEYS[1], ARGV[number])
            redis.call('HSET', KEYS[6], ARGV[number], cjson.encode({ connection.short, connection.name, cjson.null, cjson.null }))
            gone = gone + 1
        end
    end
end
if gone == 0 then
    return -1
end
redis.call('INCR', KEYS[2])
if redis.call('EXISTS', KEYS[3]) == 1 then
    return redis.call('SET', KEYS[5], 1, 'NX', 'PX', 10000) and 6 or -1
end
return redis.call('SET', KEYS[4], 1, 'NX', 'PX', 1000) and 0 or -1
