-- The one who tells everybody stops before the end: his time is nearly out.
-- KEYS  lock, told up to
-- ARGV  token, id that was told or ''
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
if ARGV[2] ~= '' then
    redis.call('SET', KEYS[2], ARGV[2])
end
return redis.call('DEL', KEYS[1])
