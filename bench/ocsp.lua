-- wrk: BENCH_KIND GET or POST, of the lines of BENCH_LINES in turn (paths, or bodies in hexadecimal), from a random start.
local requests, at = {}, 0

function init(args)
	local kind, name = os.getenv("BENCH_KIND"), os.getenv("BENCH_LINES")
	if name == "" then
		requests[1] = wrk.format("GET")
	else
		for line in io.lines(name) do
			if kind == "GET" then
				requests[#requests + 1] = wrk.format("GET", line)
			else
				local body = line:gsub("..", function(x) return string.char(tonumber(x, 16)) end)
				requests[#requests + 1] = wrk.format("POST", nil, { ["Content-Type"] = "application/ocsp-request" }, body)
			end
		end
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
	io.write(string.format('{"rate":%.1f,"p50_ms":%.4f,"p99_ms":%.4f,"errors":%d}\n',
		(summary.requests - e.status) / summary.duration * 1e6, latency:percentile(50) / 1000,
		latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
