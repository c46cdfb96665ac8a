-- The one who tells everybody stops before the end: his time is nearly out.
-- KEYS  lock
-- ARGV  token
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
