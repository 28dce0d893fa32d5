-- Connections on sockets, over loopback and without another socket library.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"
local peer = require "peer"

local constants = flatssl.constants
local contains, equal, fails, ok, yes =
  check.contains, check.equal, check.fails, check.ok, check.yes

local SOL_SOCKET, SO_TYPE, SO_SNDBUF, SO_KEEPALIVE = 1, 3, 7, 9 -- Linux's numbers

-- A case with two connected sockets, which do not wait.
local function case(name, run)
  check.case("socket: " .. name, function()
    local client_ctx, server_ctx = peer.contexts "ec"
    local client, server = peer.sockets(client_ctx, server_ctx)
    ok(client:set_host("localhost"))
    run(client, server, client_ctx, server_ctx)
    for _, object in ipairs {client, server, client_ctx, server_ctx} do
      object:close()
    end
  end)
end

-- Makes the handshake of two sockets in turn.
local function shake(client, server)
  local done = 0
  for _ = 1, 1000 do
    done = 0
    for _, conn in ipairs {client, server} do
      local finished, err = conn:do_handshake()
      yes(finished or err.kind == "want", tostring(err))
      done = done + (finished and 1 or 0)
    end
    if done == 2 then
      return
    end
  end
  error("the handshake does not end")
end

-- Reads one piece within five seconds.
local function receive(conn)
  ok(conn:set_timeout(5000))
  return conn:recv()
end

case("data and shutdown", function(client, server)
  shake(client, server)
  fails("WANT_READ", client:recv())
  equal(constants.WANT_READ, client:want())
  equal(4, client:send_all("ping"))
  equal("ping", receive(server))
  equal(4, server:send_all("pong"))
  equal("pong", receive(client))
  equal(false, server:shutdown())
  fails("ZERO_RETURN", receive(client))
  equal(true, client:shutdown())
  equal(true, server:shutdown())
end)

case("a cut connection", function(client, server)
  shake(client, server)
  ok(server:sock_shutdown(constants.SHUT_WR))
  fails("ARGUMENT", server:sock_shutdown(9))
  fails("EOF", receive(client))
end)

case("timeouts", function(client, server)
  shake(client, server)
  ok(client:set_timeout(50))
  local before = os.time()
  local err = fails("TIMEOUT", client:recv())
  equal("system", err.kind)
  yes(os.time() - before <= 2)
  ok(server:send_all("late"))
  equal("late", receive(client))
end)

case("a large send is taken in parts", function(client, server)
  ok(client:setsockopt(SOL_SOCKET, SO_SNDBUF, "\0\64\0\0"))
  shake(client, server)
  local data = ("0123456789abcdef"):rep(2 ^ 17)
  local done, err, sent = client:send_all(data)
  fails("WANT_WRITE", done, err)
  yes(sent > 0 and sent < #data, sent)
  local got = {}
  local total = 0
  while total < #data do
    if sent < #data then
      local more, failure, part = client:send_all(data:sub(sent + 1))
      sent = sent + (more or part)
      yes(more or failure.kind == "want", tostring(failure))
    end
    client:flush()
    local piece, failure = server:recv()
    yes(piece or failure.kind == "want", tostring(failure))
    got[#got + 1] = piece
    total = total + #(piece or "")
  end
  yes(table.concat(got) == data)
end)

case("addresses and options", function(client, server)
  local host, port = client:getpeername()
  equal("127.0.0.1", host)
  equal(port, select(2, server:getsockname()))
  host, port = client:getsockname()
  equal("127.0.0.1", host)
  equal(port, select(2, server:getpeername()))
  equal("\1\0\0\0", client:getsockopt(SOL_SOCKET, SO_TYPE))
  ok(client:setsockopt(SOL_SOCKET, SO_KEEPALIVE, "\1\0\0\0"))
  equal("\1\0\0\0", client:getsockopt(SOL_SOCKET, SO_KEEPALIVE))
  fails("SYSCALL", client:setsockopt(SOL_SOCKET, 9999, "\1\0\0\0"))
  fails("SYSCALL", client:getsockopt(SOL_SOCKET, 9999))
end)

case("blocking and the fd", function(client)
  yes(client:fileno() > 2)
  ok(client:set_timeout(constants.TIMEOUT_AS_FD))
  ok(client:setblocking(false))
  fails("WANT_READ", client:do_handshake())
  ok(client:setblocking(true))
end)

case("the fd is taken away and given again", function(client, server, _, server_ctx)
  local fd = ok(server:detach())
  fails("STATE", server:fileno())
  fails("STATE", server:detach())
  local other = ok(flatssl.conn.new(server_ctx, fd))
  ok(other:own_fd())
  ok(other:set_timeout(0))
  shake(client, other)
  ok(client:send_all("ping"))
  equal("ping", receive(other))
  other:close()
  fails("STATE", server:own_fd())
end)

case("a connection is not adopted without a fork", function(client)
  local result = client:adopt()
  yes(result == nil or result == 0)
end)

check.case("socket: listening and waiting in vain", function()
  local listener = ok(flatssl.listen("127.0.0.1", 0, {
    certificate = identity.path "ec.pem", key = identity.path "ec.key", timeout = 50}))
  local host, port = listener:getsockname()
  equal("127.0.0.1", host)
  yes(port > 0)
  fails("TIMEOUT", listener:accept())
  contains("in use", tostring(fails("SYSCALL", flatssl.listen("127.0.0.1", port))))
  listener:close()
end)

check.case("socket: who does not answer", function()
  local ctx = ok(flatssl.context())
  local conn = ok(flatssl.conn.new(ctx, constants.NO_FD))
  fails("STATE", conn:fileno())
  fails("STATE", conn:listen(1))
  fails("STATE", conn:accept())
  fails("ARGUMENT", conn:bind("127.0.0.1", 65536))
  fails("RESOLVE", conn:bind("no such host", 0))
  fails("ARGUMENT", conn:connect("a\0b", 443))
  fails("ARGUMENT", conn:connect("localhost", -1))
  fails("ARGUMENT", flatssl.conn.new(ctx, -2))
  conn:close()
  ctx:close()
  local err = fails("SYSCALL", flatssl.connect("127.0.0.1", 1))
  equal(111, err.errno)
  fails("RESOLVE", flatssl.connect("no-such-host.invalid", 443))
  fails("ARGUMENT", flatssl.connect("local\0host", 443))
  fails("ARGUMENT", flatssl.connect("", 443))
  fails("ARGUMENT", flatssl.connect("localhost", "443"))
  fails("ARGUMENT", flatssl.connect("localhost", 443, {verify = false}))
  fails("ARGUMENT", flatssl.connect("localhost", 443, {context = ctx, ca = "ca.pem"}))
  fails("HANDLE", flatssl.connect("localhost", 443, {context = ctx}))
  fails("ARGUMENT", flatssl.connect("localhost", 443, {timeout = -3}))
end)
