-- The other end: a second connection in memory or over loopback, or OpenSSL's own programs.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"

local constants = flatssl.constants
local peer = {}

-- ---- contexts ----

-- Returns the contexts of a client that trusts our CA and of a server with a key of ours.
function peer.contexts(name)
  return check.ok(flatssl.client {ca = identity.path "ca.pem"}), check.ok(flatssl.server {
    certificate = identity.path(name .. ".pem"), key = identity.path(name .. ".key")})
end

-- Both at one version, such as "TLS1_2".
function peer.pin(version, ...)
  for _, ctx in ipairs {...} do
    check.ok(ctx:set_min_proto_version(constants[version .. "_VERSION"]))
    check.ok(ctx:set_max_proto_version(constants[version .. "_VERSION"]))
  end
end

-- ---- two ends in memory ----

function peer.pair(client_ctx, server_ctx, host)
  local client = check.ok(flatssl.conn.new_memory(client_ctx))
  local server = check.ok(flatssl.conn.new_memory(server_ctx))
  check.ok(client:set_host(host or "localhost"))
  return client, server
end

-- Carries what one end has for the other. Returns how many bytes.
local function carry_one(from, to)
  local carried = 0
  local data = from:bio_read()
  while data do
    check.equal(#data, check.ok(to:bio_write(data)))
    carried = carried + #data
    data = from:bio_read()
  end
  return carried
end

function peer.carry(a, b)
  return carry_one(a, b) + carry_one(b, a)
end

-- Makes the handshake. Returns the first error of each end that is more than a want.
function peer.handshake(client, server)
  local failures = {}
  for _ = 1, 20 do
    local done = 0
    for at, conn in ipairs {client, server} do
      local ok, err = conn:do_handshake()
      if ok then
        done = done + 1
      elseif err.kind ~= "want" then
        failures[at] = failures[at] or err
      end
    end
    if peer.carry(client, server) == 0 and (done == 2 or next(failures)) then
      return failures[1], failures[2]
    end
  end
  error("the handshake does not end")
end

-- Returns two ends in memory that are connected.
function peer.connected(client_ctx, server_ctx)
  local client, server = peer.pair(client_ctx, server_ctx)
  local failure, other = peer.handshake(client, server)
  check.equal(nil, failure, failure)
  check.equal(nil, other, other)
  peer.receive_tickets(client, server)
  return client, server
end

-- Lets a client read what comes after the handshake.
function peer.receive_tickets(client, server)
  peer.carry(client, server)
  check.fails("WANT_READ", client:recv())
end

-- ---- two ends over loopback ----

-- Returns a client and a server on a socket each, neither of which waits.
function peer.sockets(client_ctx, server_ctx)
  local listener = check.ok(flatssl.conn.new(server_ctx, constants.NO_FD))
  check.ok(listener:bind("127.0.0.1", 0))
  check.ok(listener:listen(1))
  local _, port = check.ok(listener:getsockname())
  local client = check.ok(flatssl.conn.new(client_ctx, constants.NO_FD))
  check.ok(client:set_timeout(5000))
  check.ok(client:connect("127.0.0.1", port))
  check.ok(listener:set_timeout(5000))
  local server = check.ok(listener:accept())
  listener:close()
  check.ok(client:set_timeout(0))
  check.ok(server:set_timeout(0))
  return client, server
end

-- ---- OpenSSL's programs ----

-- Starts `openssl s_server` on a free port. Returns an object with port, and stop, which gives what
-- it printed. It ends after half a minute in any case.
function peer.s_server(name, arguments)
  local pipe = assert(io.popen(("cd %s && { timeout 30 openssl s_server -accept 127.0.0.1:0 "
    .. "-cert %s.pem -key %s.key %s </dev/null 2>&1 & echo $!; wait; }"):format(
    identity.path ".", name, name, arguments or "")))
  local pid = assert(pipe:read("*l"))
  local line = pipe:read("*l")
  while line and not line:find("^ACCEPT") do
    line = pipe:read("*l")
  end
  local server = {port = tonumber(line and line:match(":(%d+)$"))}
  function server.stop()
    os.execute("kill " .. pid)
    local printed = pipe:read("*a")
    pipe:close()
    return printed
  end
  if not server.port then
    error("s_server did not start: " .. server.stop())
  end
  return server
end

-- Starts `openssl s_client` with a text to send, and keeps it until the peer closes. Returns a
-- function that waits for its end and gives what it printed.
function peer.s_client(port, text, arguments)
  local pipe = assert(io.popen(("cd %s && printf '%%s' '%s' | timeout 30 openssl s_client "
    .. "-connect 127.0.0.1:%d -CAfile ca.pem -verify_return_error -ign_eof %s 2>&1"):format(
    identity.path ".", text, port, arguments or "")))
  return function()
    local printed = pipe:read("*a")
    pipe:close()
    return printed
  end
end

return peer
