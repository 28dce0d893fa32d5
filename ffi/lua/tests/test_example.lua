-- The example programs, run by the Lua that runs this.

local check = require "check"
local identity = require "identity"
local peer = require "peer"

local contains, equal, yes = check.contains, check.equal, check.yes

local examples = arg[0]:gsub("[^/]*$", "") .. "../examples/"

-- The interpreter: the first of arg's negative indexes.
local lua = 0
while arg[lua - 1] do
  lua = lua - 1
end
lua = arg[lua]

-- Starts an example. Returns the pipe of what it prints.
local function start(name, arguments)
  return assert(io.popen(("timeout 30 '%s' '%s%s.lua' %s 2>&1"):format(
    lua, examples, name, arguments)))
end

local function finish(pipe)
  local printed = pipe:read("*a")
  pipe:close()
  return printed
end

check.case("example: client", function()
  local server = peer.s_server("ec", "-www")
  local arguments = ("localhost %d %s"):format(server.port, identity.path "ca.pem")
  local printed = finish(start("client", arguments))
  local refused = finish(start("client", arguments:gsub("ca%.pem", "stranger.pem")))
  server.stop()
  contains("TLSv1.3 TLS_", printed)
  contains("HTTP/1.0 200 ok", printed)
  contains("</HTML>", printed:upper())
  contains("certificate", refused)
  yes(not refused:find("200 ok", 1, true))
end)

check.case("example: server", function()
  local pipe = start("server", ("%s %s 0 2"):format(identity.path "ec.pem", identity.path "ec.key"))
  local port = tonumber(pipe:read("*l"):match("^listening on%s+(%d+)$"))
  yes(port)
  local printed = peer.s_client(port, "hello\n", "-verify_hostname localhost -no_ign_eof")()
  contains("Verify return code: 0 (ok)", printed)
  local flatssl = require "flatssl"
  local conn = check.ok(flatssl.connect("localhost", port,
    {ca = identity.path "ca.pem", timeout = 10000}))
  check.ok(conn:send_all("hello"))
  equal("HELLO", conn:recv())
  check.equal(false, conn:shutdown())
  check.fails("ZERO_RETURN", conn:recv())
  conn:close()
  contains("127.0.0.1\tthe peer closed the connection in order", finish(pipe))
end)
