-- Connections in memory: handshake, data, shutdown and what they tell.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"
local peer = require "peer"

local constants = flatssl.constants
local contains, equal, fails, ok, yes =
  check.contains, check.equal, check.fails, check.ok, check.yes

-- A case with two connected ends.
local function case(name, version, run)
  check.case(version .. ": " .. name, function()
    local client_ctx, server_ctx = peer.contexts "ec"
    peer.pin(version, client_ctx, server_ctx)
    local client, server = peer.connected(client_ctx, server_ctx)
    run(client, server, client_ctx, server_ctx)
    for _, object in ipairs {client, server, client_ctx, server_ctx} do
      object:close()
    end
  end)
end

-- A case for each version.
local function both(name, run)
  case(name, "TLS1_2", run)
  case(name, "TLS1_3", run)
end

both("data goes both ways", function(client, server)
  local text = "\0any bytes\255"
  equal(#text, client:send(text))
  peer.carry(client, server)
  equal(text, server:recv())
  equal(100000, server:send_all(("x"):rep(100000)))
  peer.carry(client, server)
  local got = {}
  while #table.concat(got) < 100000 do
    got[#got + 1] = ok(client:recv())
  end
  equal(("x"):rep(100000), table.concat(got))
  equal(0, client:send(""))
  fails("WANT_READ", client:recv())
end)

both("capacity and peek", function(client, server)
  ok(client:send_all("hello"))
  peer.carry(client, server)
  equal("", server:recv(0))
  equal("hel", server:recv(3, constants.MSG_PEEK))
  equal("hel", server:recv(3))
  equal(2, server:pending())
  equal("lo", server:recv(1000))
  fails("ARGUMENT", server:recv(10, 99))
  fails("ARGUMENT", server:recv(-1))
end)

both("shutdown", function(client, server)
  equal(0, client:shutdown_state())
  equal(false, client:shutdown())
  equal(constants.SENT_SHUTDOWN, client:shutdown_state())
  peer.carry(client, server)
  fails("ZERO_RETURN", server:recv())
  equal(true, server:shutdown())
  peer.carry(client, server)
  equal(true, client:shutdown())
  equal(constants.SENT_SHUTDOWN + constants.RECEIVED_SHUTDOWN, client:shutdown_state())
  ok(client:set_shutdown_state(constants.SENT_SHUTDOWN))
  equal(constants.SENT_SHUTDOWN, client:shutdown_state())
  fails("ARGUMENT", client:set_shutdown_state(64))
end)

both("what is behind the shutdown is left over", function(client, server)
  fails("STATE", server:leftover())
  ok(client:shutdown())
  peer.carry(client, server)
  ok(server:bio_write("clear text"))
  fails("ZERO_RETURN", server:recv())
  equal("clear text", server:leftover())
  equal("", server:leftover())
end)

both("a stream that ends without goodbye was cut", function(client)
  ok(client:bio_shutdown())
  fails("EOF", client:recv())
  fails("EOF", client:recv())
end)

both("what connections tell", function(client, server)
  for _, conn in ipairs {client, server} do
    contains("TLSv1.", conn:protocol_version_name())
    yes(conn:protocol_version() >= constants.TLS1_2_VERSION)
    contains("GCM", conn:cipher_name())
    yes(conn:cipher_bits() >= 128)
    contains("TLSv1.", conn:cipher_version())
    contains("25519", conn:group_name():lower())
    yes(#conn:state_string() > 0)
    equal(32, #conn:client_random())
    equal(32, #conn:server_random())
    equal(48, #conn:master_key())
    yes(conn:cipher_list_count() > 0)
    yes(#conn:cipher_list_item(0) > 0)
    fails("ARGUMENT", conn:cipher_list_item(9999))
    equal(false, conn:session_reused())
    equal("", conn:next_proto())
  end
  equal("localhost", client:host())
  equal("localhost", server:server_name())
  equal(client:finished(), server:peer_finished())
  equal(server:finished(), client:peer_finished())
end)

both("exported keys agree", function(client, server)
  local key = ok(client:export_keying_material("label", "context", 40))
  equal(40, #key)
  equal(key, server:export_keying_material("label", "context", 40))
  yes(key ~= client:export_keying_material("label", "other", 40))
  equal(20, #client:export_keying_material("label", nil, 20))
  fails("ARGUMENT", client:export_keying_material("label", "context"))
end)

both("certificates of the peer", function(client, server)
  local cert, own = ok(client:peer_certificate()), ok(server:certificate())
  equal(cert:to_der(), own:to_der())
  equal(nil, server:peer_certificate())
  equal(nil, client:certificate())
  equal(0, client:verify_result())
  fails("STATE", server:verify_result())
  equal(1, client:peer_chain_count())
  local first = ok(client:peer_chain_item(0))
  equal(cert:to_der(), first:to_der())
  fails("ARGUMENT", client:peer_chain_item(1))
  equal(2, client:verified_chain_count())
  local root = ok(client:verified_chain_item(1))
  contains("ca", ok(root:subject()):text())
  fails("ARGUMENT", client:verified_chain_item(-1))
  for _, object in ipairs {cert, own, first, root} do
    object:close()
  end
end)

both("identity of contexts and sessions", function(client, server, client_ctx)
  yes(ok(client:context()) == client_ctx)
  yes(ok(server:context()) ~= client_ctx)
  yes(ok(client:session()):id() ~= nil)
  ok(client:set_app_data(-5))
  equal(-5, client:app_data())
  equal(0, server:app_data())
  fails("ARGUMENT", client:set_app_data("x"))
end)

-- ---- before the handshake ----

local function fresh(name, run)
  check.case("conn: " .. name, function()
    local client_ctx, server_ctx = peer.contexts "ec"
    local client, server = peer.pair(client_ctx, server_ctx)
    run(client, server, client_ctx, server_ctx)
    for _, object in ipairs {client, server, client_ctx, server_ctx} do
      object:close()
    end
  end)
end

fresh("hosts that are no hosts", function(client)
  for _, host in ipairs {"", "a\0b", "localhost\0.test", "b\195\188cher.test"} do
    fails("ARGUMENT", client:set_host(host))
  end
  fails("ARGUMENT", client:set_server_name(""))
  fails("ARGUMENT", client:set_server_name("a\0b"))
  ok(client:set_server_name("other.test"))
  fails("ARGUMENT", client:set_host())
  ok(client:set_host("Localhost."))
  equal("localhost", client:host():lower())
end)

fresh("sides", function()
  local ctx = ok(flatssl.context())
  local conn = ok(flatssl.conn.new_memory(ctx))
  ok(conn:set_connect_state())
  fails("WANT_READ", conn:do_handshake())
  yes(#ok(conn:bio_read()) > 100)
  conn:close()
  conn = ok(flatssl.conn.new_memory(ctx))
  ok(conn:set_accept_state())
  fails("WANT_READ", conn:do_handshake())
  fails("WANT_READ", conn:bio_read())
  equal(constants.WANT_READ, conn:want())
  conn:close()
  conn = ok(flatssl.conn.new_memory(ctx))
  fails("STATE", conn:do_handshake())
  fails("HANDLE_TYPE", flatssl.conn.new_memory(conn))
  conn:close()
  ctx:close()
end)

fresh("settings of one connection", function(client, server)
  ok(client:set_options(constants.OP_NO_TICKET))
  yes(client:options() > 0)
  fails("UNSUPPORTED", client:set_options(2 ^ 52))
  ok(client:set_verify(constants.VERIFY_NONE))
  equal(constants.VERIFY_NONE, client:verify_mode())
  fails("ARGUMENT", client:set_verify(64))
  ok(client:set_max_proto_version(constants.TLS1_2_VERSION))
  fails("ARGUMENT", client:set_max_proto_version(-1))
  ok(server:set_min_proto_version(constants.TLS1_2_VERSION))
  fails("ARGUMENT", server:set_min_proto_version(-1))
  ok(client:set_alpn_protos("\2h2\4echo"))
  fails("ARGUMENT", client:set_alpn_protos("\9h2"))
  ok(server:set_alpn_preference("\4echo\2h2"))
  fails("ARGUMENT", server:set_alpn_preference("\0"))
  equal(nil, (peer.handshake(client, server)))
  equal("echo", client:alpn_proto())
  equal("echo", server:alpn_proto())
  equal("TLSv1.2", client:protocol_version_name())
end)

fresh("a certificate for one connection", function(client, server)
  local cert = ok(flatssl.cert.from_pem(identity.read(identity.path "rsa.pem")))
  local key = ok(flatssl.key.from_pem(identity.read(identity.path "rsa.key")))
  local wrong = ok(flatssl.key.generate(constants.KEY_RSA, 2048))
  ok(server:use_certificate(cert))
  fails("KEY_MISMATCH", server:use_private_key(wrong))
  ok(server:use_private_key(key))
  fails("HANDLE_TYPE", server:use_certificate(key))
  equal(nil, (peer.handshake(client, server)))
  for _, object in ipairs {cert, key, wrong} do
    object:close()
  end
end)

fresh("another context", function(client, server)
  local other = ok(flatssl.server {certificate = identity.path "untrusted.pem",
    key = identity.path "untrusted.key"})
  ok(server:set_context(other))
  fails("HANDLE_TYPE", server:set_context(client))
  fails("VERIFY", nil, (peer.handshake(client, server)))
  yes(ok(server:context()) == other)
  other:close()
end)

fresh("plain text is no TLS", function(_, server)
  ok(server:bio_write("GET / HTTP/1.0\r\n\r\n"))
  local err = fails("TLS", server:do_handshake())
  contains("http request", tostring(err))
  fails("TLS", server:do_handshake())
  fails("TLS", server:recv())
end)

fresh("more than the input takes", function(_, server)
  local taken = ok(server:bio_write(("x"):rep(2 ^ 20 + 1)))
  equal(2 ^ 20, taken)
  fails("LIMIT", server:bio_write("x"))
end)

fresh("waiting and cancelling", function(client)
  ok(client:set_timeout(50))
  fails("ARGUMENT", client:set_timeout(-3))
  equal(0, client:cancel())
  fails("WANT_READ", client:do_handshake())
  fails("WANT_WRITE", client:flush()) -- the client hello waits to be carried
  yes(#ok(client:bio_read()) > 100)
  equal(0, client:flush())
end)

case("coalescing", "TLS1_3", function(client, server)
  ok(client:set_coalescing(4096))
  fails("ARGUMENT", client:set_coalescing(-1))
  for _ = 1, 10 do
    equal(4, client:send("ping"))
  end
  ok(server:bio_write(ok(client:bio_read())))
  equal(("ping"):rep(10), server:recv())
end)

-- ---- renegotiation ----

case("renegotiation", "TLS1_2", function(client, server, client_ctx, server_ctx)
  equal(0, client:total_renegotiations())
  yes(client:renegotiate() == nil) -- the safe contexts forbid it
  for _, object in ipairs {client, server} do
    object:close()
  end
  for _, ctx in ipairs {client_ctx, server_ctx} do
    ok(ctx:clear_options(constants.OP_NO_RENEGOTIATION))
  end
  ok(server_ctx:set_options(constants.OP_ALLOW_CLIENT_RENEGOTIATION))
  client, server = peer.connected(client_ctx, server_ctx)
  equal(false, client:renegotiate_pending())
  equal(true, client:renegotiate())
  equal(true, client:renegotiate_pending())
  equal(false, client:renegotiate())
  for _ = 1, 4 do
    client:do_handshake()
    peer.carry(client, server)
    server:recv()
    peer.carry(client, server)
  end
  equal(false, client:renegotiate_pending())
  equal(1, client:total_renegotiations())
  client:close()
  server:close()
end)

case("no renegotiation", "TLS1_3", function(client)
  yes(client:renegotiate() == nil)
end)
