-- Against OpenSSL's own programs over loopback, with blocking calls.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"
local peer = require "peer"

local contains, equal, fails, ok, yes =
  check.contains, check.equal, check.fails, check.ok, check.yes

local VERSIONS = {["-tls1_2"] = "TLSv1.2", ["-tls1_3"] = "TLSv1.3"}

local function each(run)
  for argument, version in pairs(VERSIONS) do
    for _, name in ipairs {"rsa", "ec"} do
      check.case(("%s %s: %s"):format(version, name, run[1]), function()
        run[2](name, argument, version)
      end)
    end
  end
end

-- Runs `use` with a port on which s_server sends lines back, reversed.
local function with_server(name, argument, use)
  local server = peer.s_server(name, "-rev " .. argument)
  local fine, why = pcall(use, server.port)
  local printed = server.stop()
  if not fine then
    error(tostring(why) .. "\n" .. printed, 0)
  end
end

each {"a client of s_server", function(name, argument, version)
  with_server(name, argument, function(port)
    local conn = ok(flatssl.connect("localhost", port,
      {ca = identity.path "ca.pem", timeout = 10000}))
    equal(version, conn:protocol_version_name())
    equal(6, conn:send_all("hello\n"))
    equal("olleh\n", ok(conn:recv()))
    conn:shutdown()
    conn:close()
  end)
end}

each {"a client refuses s_server", function(name, argument)
  with_server(name, argument, function(port)
    local options = {ca = identity.path "ca.pem", timeout = 10000, host = "wrong.test"}
    fails("HOST", flatssl.connect("127.0.0.1", port, options))
    options.host = nil
    options.ca = identity.path "stranger.pem"
    fails("VERIFY", flatssl.connect("127.0.0.1", port, options))
    fails("VERIFY", flatssl.connect("127.0.0.1", port, {timeout = 10000}))
    options.ca = identity.path "ca.pem"
    ok(flatssl.connect("127.0.0.1", port, options)):close()
  end)
end}

-- Serves one client and answers in capitals. Returns the connection's error when it ended.
local function serve(listener)
  local conn = ok(listener:accept())
  ok(conn:set_timeout(10000))
  local data, err = conn:recv()
  while data do
    ok(conn:send_all(data:upper()))
    ok(conn:shutdown() ~= nil)
    data, err = conn:recv()
  end
  conn:close()
  return err
end

local function listen(name, more)
  local options = {certificate = identity.path(name .. ".pem"),
    key = identity.path(name .. ".key"), timeout = 10000}
  for key, value in pairs(more or {}) do
    options[key] = value
  end
  local listener = ok(flatssl.listen("127.0.0.1", 0, options))
  return listener, select(2, listener:getsockname())
end

each {"a server of s_client", function(name, argument, version)
  local listener, port = listen(name)
  local wait = peer.s_client(port, "hello", "-servername localhost -verify_hostname localhost "
    .. argument)
  local err = serve(listener)
  local printed = wait()
  fails("ZERO_RETURN", nil, err)
  contains("HELLO", printed)
  contains("Verify return code: 0 (ok)", printed)
  contains(version, printed)
  listener:close()
end}

each {"a server demands certificates of s_client", function(name, argument)
  local listener, port = listen(name, {ca = identity.path "ca.pem"})
  local wait = peer.s_client(port, "hello", "-cert client.pem -key client.key " .. argument)
  fails("ZERO_RETURN", nil, serve(listener))
  contains("HELLO", wait())
  wait = peer.s_client(port, "hello", argument)
  fails("VERIFY", nil, serve(listener))
  yes(not wait():find("HELLO", 1, true))
  listener:close()
end}

each {"protocols with s_client", function(name, argument)
  local listener, port = listen(name, {alpn = {"echo", "h2"}})
  local wait = peer.s_client(port, "hello", "-alpn h2,echo " .. argument)
  fails("ZERO_RETURN", nil, serve(listener))
  contains("ALPN protocol: echo", wait())
  wait = peer.s_client(port, "hello", "-alpn other " .. argument)
  fails("TLS", nil, serve(listener))
  contains("no application protocol", wait())
  listener:close()
end}
