-- One message's points: the rate limit, the bitmap and the stream, all or nothing.
-- KEYS  bitmap, points, unsaved, floor, rate of the connection, connections
-- ARGV  connection, cost, tokens of a full bucket, ms to fill it, ms to keep points, batch, type of a pixel, index and colour of each
-- Says {"lost"}, {"unknown"} (the connection is not in the list), {"slow", ms to wait}, {"drawn", id of the entry or ''}.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return { 'lost' }
end
if ARGV[1] ~= '' and redis.call('HEXISTS', KEYS[6], ARGV[1]) == 0 then
    return { 'unknown' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local cost, full, period = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if cost > 0 then
    local bucket = redis.call('HMGET', KEYS[5], 'tokens', 'at')
    local tokens = full
    if bucket[1] then
        tokens = math.min(full, tonumber(bucket[1]) + (now - tonumber(bucket[2])) * full / period)
    end
    if tokens < cost then
        return { 'slow', math.ceil((cost - tokens) * period / full) }
    end
    redis.call('HSET', KEYS[5], 'tokens', tokens - cost, 'at', now)
    redis.call('PEXPIRE', KEYS[5], period)
end

if ARGV[6] == '' then
    return { 'drawn', '' }
end
local pixels = {}
for at = 8, #ARGV, 2 do
    local next = #pixels
    pixels[next + 1], pixels[next + 2] = 'SET', ARGV[7]
    pixels[next + 3], pixels[next + 4] = '#' .. ARGV[at], ARGV[at + 1]
end
redis.call('BITFIELD', KEYS[1], unpack(pixels))

-- What is trimmed is remembered: who has all up to the floor can be given the rest from the stream.
local oldest = (now - tonumber(ARGV[5])) .. '-0'
local old = redis.call('XREVRANGE', KEYS[2], '(' .. oldest, '-', 'COUNT', 1)
if #old > 0 then
    redis.call('SET', KEYS[4], old[1][1])
    redis.call('XTRIM', KEYS[2], 'MINID', '=', oldest)
end
local id = redis.call('XADD', KEYS[2], '*', 'batch', ARGV[6])
redis.call('ZADD', KEYS[3], now, id)
return { 'drawn', id }
