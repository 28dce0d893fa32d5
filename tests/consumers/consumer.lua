-- A script made against the Lua binding of FLATSSL_1.0, as it was then, for any Lua. See consumer.c
-- for what it does. PUC Lua has no ffi: its C module is the binding's.

local flatssl = require "flatssl"

local PATIENCE = 20000

local function show(conn, bytes)
  print(("%s %s, %d bytes"):format(conn:protocol_version_name(), conn:cipher_name(), bytes))
end

-- Reads until so much has come, or the peer ends.
local function received(conn, most)
  local data = {}
  local len = 0
  while len < most do
    local part, err = conn:recv(most - len)
    if not part and err.code == flatssl.constants.E_ZERO_RETURN then
      break
    end
    data[#data + 1] = flatssl.assert(part, err)
    len = len + #part
  end
  return table.concat(data)
end

local scenarios = {}

function scenarios.get(host, port, ca)
  local conn = flatssl.assert(flatssl.connect(host, tonumber(port), {ca = ca, timeout = PATIENCE}))
  flatssl.assert(conn:send_all("GET / HTTP/1.0\r\n\r\n"))
  local page = received(conn, 65536)
  show(conn, #page)
  local verified = conn:verify_result() == 0
  conn:close()
  return verified and page:find("HTTP/1.0 200 ", 1, true) == 1
end

function scenarios.echo(host, port, ca, certificate, key)
  local conn = flatssl.assert(flatssl.connect(host, tonumber(port),
    {ca = ca, certificate = certificate, key = key, timeout = PATIENCE}))
  local said = ("0123456789"):rep(1000)
  flatssl.assert(conn:send_all(said))
  local heard = received(conn, #said)
  show(conn, #heard)
  flatssl.assert(conn:shutdown())
  conn:close()
  return heard == said
end

function scenarios.refuse(host, port, ca, name)
  local conn, err = flatssl.connect(host, tonumber(port),
    {ca = ca, host = name, timeout = PATIENCE})
  if conn then
    return false
  end
  print(name .. " refused: " .. tostring(err):match "[^\n]*")
  return err.code == flatssl.constants.E_HOST
end

os.exit(scenarios[arg[1]]((table.unpack or unpack)(arg, 2)) and 0 or 1)
