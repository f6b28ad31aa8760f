-- wrk: POSTs the lines of BENCH_BODIES in turn, from a random start; prints one line of JSON at the end.
local requests, at = {}, 0

function init(args)
	local headers = { ["Content-Type"] = "application/json" }
	local token = os.getenv("BENCH_TOKEN")
	if token ~= "" then headers["Authorization"] = "Bearer " .. token end
	for line in io.lines(os.getenv("BENCH_BODIES")) do
		requests[#requests + 1] = wrk.format("POST", nil, headers, line)
	end
	math.randomseed(os.time())
	at = math.random(#requests)
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('{"rate":%.1f,"p50_ms":%.4f,"p99_ms":%.4f,"errors":%d,"answers":%d}\n',
		(summary.requests - e.status) / summary.duration * 1e6, latency:percentile(50) / 1000,
		latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout, summary.requests))
end
