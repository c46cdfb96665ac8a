-- A bitmap in the place of a lost one. An entry without points marks the moment: whoever has only what was before it
-- gets the whole picture.
-- KEYS  bitmap, points, floor, restored, told up to, lock of the restoring
-- ARGV  bitmap, batch without points
redis.call('SET', KEYS[1], ARGV[1])
local id = redis.call('XADD', KEYS[2], '*', 'batch', ARGV[2])
redis.call('SET', KEYS[3], id)
redis.call('SET', KEYS[4], id)
redis.call('SET', KEYS[5], id)
redis.call('DEL', KEYS[6])
return id
