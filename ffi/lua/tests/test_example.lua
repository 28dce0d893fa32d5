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

-- What a client of the server of coroutines sees and logs.
local REQUEST = "GET / HTTP/1.0\r\n\r\n"

-- Returns the lines of a key log that another one lacks, as a set, and how many it has in all.
local function lacking(log, whole)
  local missing, count = {}, 0
  for line in identity.read(log):gmatch("[^\r\n]+") do
    if line:find("^[A-Z]") then
      count = count + 1
      missing[line] = not identity.read(whole):find(line, 1, true) or nil
    end
  end
  return missing, count
end

-- Starts it for so many clients. Returns the pipe and the port.
local function start_coroutines(clients)
  local pipe = start("coroutines", ("0 %d %s %s localhost=%s one.example.test=%s"):format(clients,
    identity.path "client.pem", identity.path "server.log", identity.path "ec",
    identity.path "rsa"))
  local port = tonumber(pipe:read("*l"):match("^listening on%s+(%d+)$"))
  return pipe, yes(port)
end

for _, version in ipairs {"-tls1_2", "-tls1_3"} do
  check.case("example: coroutines, " .. version, function()
    local friend = version .. " -cert client.pem -key client.key -keylogfile client.log "
    os.remove(identity.path "client.log")
    local pipe, port = start_coroutines(7)
    local context = check.ok(require "flatssl".client())
    local stalled = check.ok(require "flatssl".conn.new(context, -1))
    check.ok(stalled:connect("127.0.0.1", port)) -- and says nothing, which delays nobody
    local first = peer.s_client(port, REQUEST, friend .. "-servername LOCALHOST "
      .. "-alpn h2,http/1.0,http/1.1")
    local second = peer.s_client(port, REQUEST, friend .. "-servername one.example.test "
      .. "-alpn http/1.1,http/1.0")
    local printed = first()
    contains("CN = ec", printed)
    contains("ALPN protocol: http/1.0", printed)
    contains("hello from LOCALHOST by http/1.0", printed)
    printed = second()
    contains("CN = rsa", printed)
    contains("hello from one.example.test by http/1.1", printed)
    contains("unrecognized name", peer.s_client(port, REQUEST,
      friend .. "-servername other.test")())
    contains("no application protocol", peer.s_client(port, REQUEST,
      friend .. "-servername localhost -alpn h2")())
    for _, arguments in ipairs {"", "-cert untrusted.pem -key untrusted.key "} do
      printed = peer.s_client(port, REQUEST, version .. " -servername localhost " .. arguments)()
      contains("lert", printed) -- which one is OpenSSL's choice
      yes(not printed:find("hello", 1, true))
    end
    local curl = assert(io.popen(("cd %s && curl -s --tlsv1.2 --max-time 20 --cacert ca.pem "
      .. "--cert client.pem --key client.key https://localhost:%d/ 2>&1"):format(
      identity.path ".", port)))
    equal("hello from localhost by http/1.1\n", curl:read("*a"))
    curl:close()
    printed = finish(pipe)
    stalled:close()
    context:close()
    equal(3, select(2, printed:gsub("served", "")))
    local missing, count = lacking(identity.path "client.log", identity.path "server.log")
    yes(count >= 2)
    equal(nil, (next(missing)))
  end)
end

-- LuaJIT makes a callback where a Lua function becomes a C function pointer. Nothing does that: no
-- function that takes one is bound, and nothing is cast.
check.case("no callbacks", function()
  local flatssl = require "flatssl"
  local folder = arg[0]:gsub("[^/]*$", "") .. "../flatssl/"
  local luajit = identity.read(folder .. "luajit.lua")
  yes(not luajit:find("ffi.cast", 1, true))
  equal("callback", flatssl.skipped.fssl_ctx_set_verify_callback)
  equal(nil, flatssl.ctx.set_verify_callback)
  yes(not identity.read(examples .. "coroutines.lua"):find("require \"ffi\"", 1, true))
end)
