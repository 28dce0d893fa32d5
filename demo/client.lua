-- Fetches the page of a server over flatssl and prints what the demo shows of it.
--
--   lua client.lua HOST PORT CA [NAME]
--
-- NAME is whom the certificate must name, if that is not HOST.

local flatssl = require "flatssl"

local host, port, ca, name = arg[1], tonumber(arg[2]), arg[3], arg[4]

local conn, err = flatssl.connect(host, port, {ca = ca, host = name, timeout = 10000})
if not conn then
  print("refused " .. err.name .. ": " .. tostring(err):match "[^\n]*")
  os.exit(1)
end

flatssl.assert(conn:send_all("GET / HTTP/1.1\r\nHost: " .. host .. "\r\n\r\n"))

local page = {}
local data
data, err = conn:recv()
while data do
  page[#page + 1] = data
  data, err = conn:recv()
end
if err.code ~= flatssl.constants.E_ZERO_RETURN then
  error(tostring(err), 0)
end
local body = table.concat(page):match "\r\n\r\n(.*)"
print(table.concat({conn:protocol_version_name(), conn:cipher_name(), conn:host(), #body}, "\t"))
io.stderr:write(body)
conn:close()
