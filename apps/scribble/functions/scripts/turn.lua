-- A turn of the one who tells everybody: what was told, what comes next.
-- KEYS  lock, points, told up to, connections, roster, cursors, due, floor, gate of cursors, gate of here, here that was told, watch
-- ARGV  token, ms of the lock, id that was told or '', number that was told or '', roster that is known, most entries, ms between cursors, ms between heres,
--       1 if this was woken to look whether the lock's holder still lives
-- Says {"leave", s} (somebody else does it; in s seconds, unless -1, somebody has to look whether he still lives),
-- {"done"} (nothing left; the lock is free), {"wait", ms, id that was told},
-- {"tell", entries, cursors, here, roster, connections or false, 1 if entries are missing}.
if redis.call('GET', KEYS[1]) ~= ARGV[1] and not redis.call('SET', KEYS[1], ARGV[1], 'NX') then
    if ARGV[9] == '1' then
        redis.call('DEL', KEYS[12])
    end
    return { 'leave', redis.call('SET', KEYS[12], 1, 'NX', 'PX', 10000) and 6 or -1 }
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[7])

local function number(id)
    local ms, n = string.match(id, '(%d+)-(%d+)')
    return ms * 4096 + n
end
local told = redis.call('GET', KEYS[3]) or '0-0'
if ARGV[3] ~= '' and number(ARGV[3]) > number(told) then
    told = ARGV[3]
    redis.call('SET', KEYS[3], told)
end
if ARGV[4] ~= '' then
    redis.call('SET', KEYS[11], ARGV[4])
end

local entries = redis.call('XRANGE', KEYS[2], '(' .. told, '+', 'COUNT', ARGV[6])
local here = redis.call('HLEN', KEYS[4])
local changed = here ~= tonumber(redis.call('GET', KEYS[11]) or '0')
local waiting = redis.call('HLEN', KEYS[6]) > 0

local cursors, wait = {}, nil
local function may(gate, ms)
    if redis.call('SET', gate, 1, 'NX', 'PX', ms) then
        return true
    end
    wait = math.min(wait or 60000, math.max(1, redis.call('PTTL', gate)))
    return false
end
if waiting and may(KEYS[9], ARGV[7]) then
    cursors = redis.call('HVALS', KEYS[6])
    redis.call('DEL', KEYS[6])
end
local tell = #entries > 0 or #cursors > 0
if changed and not tell then
    tell = may(KEYS[10], ARGV[8])
end
if not tell then
    if wait then
        return { 'wait', math.min(wait, ARGV[7]), told }
    end
    redis.call('DEL', KEYS[1])
    return { 'done' }
end

local missing = 0
local floor = redis.call('GET', KEYS[8])
if floor and number(floor) > number(told) then
    missing = 1
end
local roster = redis.call('GET', KEYS[5]) or '0'
local connections = false
if roster ~= ARGV[5] then
    connections = redis.call('HKEYS', KEYS[4])
end
return { 'tell', entries, cursors, here, roster, connections, missing }
