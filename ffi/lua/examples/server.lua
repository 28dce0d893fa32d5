-- lua server.lua certificate.pem key.pem [port [clients]]: answers each line in capitals.
local flatssl = require "flatssl"

local certificate, key = arg[1], arg[2]
local port, clients = tonumber(arg[3] or 4433), tonumber(arg[4] or math.huge)

local listener = flatssl.assert(
  flatssl.listen("127.0.0.1", port, {certificate = certificate, key = key}))
print("listening on", select(2, listener:getsockname()))
io.stdout:flush()

-- Returns why it ended.
local function serve(conn)
  flatssl.assert(conn:set_timeout(10000))
  local data, err = conn:recv() -- the handshake is made on the way
  while data do
    local sent
    sent, err = conn:send_all(data:upper())
    if not sent then
      break
    end
    data, err = conn:recv()
  end
  if err.code == flatssl.constants.E_ZERO_RETURN then
    conn:shutdown()
  end
  conn:close()
  return err
end

while clients > 0 do
  local conn = flatssl.assert(listener:accept())
  local peer = conn:getpeername()
  print(peer, serve(conn))
  io.stdout:flush()
  clients = clients - 1
end
