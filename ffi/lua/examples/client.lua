-- lua client.lua [host [port [ca.pem]]]: fetches a page, its certificate verified.
local flatssl = require "flatssl"

local host, port, ca = arg[1] or "example.org", tonumber(arg[2] or 443), arg[3]

local conn = flatssl.assert(flatssl.connect(host, port, {ca = ca, timeout = 10000}))
io.stderr:write(conn:protocol_version_name(), " ", conn:cipher_name(), "\n")

flatssl.assert(conn:send_all("GET / HTTP/1.0\r\nHost: " .. host .. "\r\n\r\n"))

local data, err = conn:recv()
while data do
  io.write(data)
  data, err = conn:recv()
end
conn:close()

-- Anything but the peer's own goodbye may have cut the page short.
if err.code ~= flatssl.constants.E_ZERO_RETURN then
  error(tostring(err), 0)
end
