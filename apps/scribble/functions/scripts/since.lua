-- What somebody needs who has everything up to an id.
-- KEYS  bitmap, points, floor
-- ARGV  id, or '' for who has nothing
-- Says {"lost"}, {"points", last id, entries} or {"picture", last id, bitmap}.
local bitmap = redis.call('EXISTS', KEYS[1])
if bitmap == 0 then
    return { 'lost' }
end
local function number(id)
    local ms, n = string.match(id, '(%d+)-(%d+)')
    return ms * 4096 + n
end
local floor = redis.call('GET', KEYS[3]) or '0-0'
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local last = #newest > 0 and newest[1][1] or floor
if ARGV[1] ~= '' and number(ARGV[1]) >= number(floor) and number(ARGV[1]) <= number(last) then
    return { 'points', last, redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+') }
end
return { 'picture', last, redis.call('GET', KEYS[1]) }
