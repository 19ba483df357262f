-- Requests for wrk: `wrk -s load.lua URL -- FILE DELAY_MS`.
-- FILE has a request a line: method, path, size of the body and then names and values of headers, with tabs between them.
-- Of several, requests are made in turn, from any of them on; "{new}" in one is replaced by what no request had before.
-- DELAY_MS: mean pause of a connection before each request; 0: none.
function init(args)
  local lines = {}
  local isNew = {}
  for line in io.lines(args[1]) do
    local fields = {}
    for field in line:gmatch("[^\t]+") do fields[#fields + 1] = field end
    local headers = { Host = wrk.headers["Host"] }
    for at = 4, #fields, 2 do headers[fields[at]] = fields[at + 1] end
    local size = tonumber(fields[3])
    isNew[#lines + 1] = line:find("{new}", 1, true) ~= nil
    lines[#lines + 1] = wrk.format(fields[1], fields[2], headers, size > 0 and string.rep("x", size) or nil)
  end
  math.randomseed(os.time())
  local at = math.random(#lines)
  local run = string.format("%d-%d-", os.time(), math.random(1e9))
  local count = 0
  request = function()
    at = at % #lines + 1
    if not isNew[at] then return lines[at] end
    count = count + 1
    return (lines[at]:gsub("{new}", run .. count))
  end
  local delayMs = tonumber(args[2])
  if delayMs > 0 then
    delay = function() return math.random(0, 2 * delayMs) end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"bytes":%d,"p50Us":%d,"p99Us":%d,"socketErrors":%d,"refused":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
