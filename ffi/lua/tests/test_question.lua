-- Questions, server names, queues and what stands in place of callbacks.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"
local peer = require "peer"

local constants = flatssl.constants
local contains, equal, fails, ok, yes =
  check.contains, check.equal, check.fails, check.ok, check.yes

local function load(name)
  return ok(flatssl.cert.from_pem(identity.read(identity.path(name .. ".pem")))),
    ok(flatssl.key.from_pem(identity.read(identity.path(name .. ".key"))))
end

-- A case with two ends for each version; `run` may close contexts and ends itself.
local function case(name, run)
  for _, version in ipairs {"TLS1_2", "TLS1_3"} do
    check.case(version .. ": " .. name, function()
      local client_ctx, server_ctx = peer.contexts "ec"
      peer.pin(version, client_ctx, server_ctx)
      local client, server = peer.pair(client_ctx, server_ctx)
      run(client, server, client_ctx, server_ctx, version)
      for _, object in ipairs {client, server, client_ctx, server_ctx} do
        object:close()
      end
    end)
  end
end

-- Advances both ends until one asks. Returns which, and its error.
local function until_asked(client, server)
  for _ = 1, 10 do
    for _, conn in ipairs {client, server} do
      local done, err = conn:do_handshake()
      if not done and err.code ~= constants.E_WANT_READ and err.code ~= constants.E_WANT_WRITE then
        return conn, err
      end
    end
    peer.carry(client, server)
  end
  error("nobody asked")
end

case("the client hello is read and answered", function(client, server)
  ok(server:ask(constants.ASK_CLIENT_HELLO))
  fails("ARGUMENT", server:ask(64))
  fails("STATE", server:hello_bytes(constants.HELLO_RAW))
  fails("STATE", server:hello_ext(0))
  fails("STATE", server:answer_hello(0))
  local who, err = until_asked(client, server)
  yes(who == server)
  fails("WANT_CLIENT_HELLO", nil, err)
  fails("WANT_CLIENT_HELLO", server:do_handshake())
  equal("localhost", server:server_name())
  equal(32, #server:hello_bytes(constants.HELLO_RANDOM))
  yes(#server:hello_bytes(constants.HELLO_RAW) > 100)
  contains("localhost", server:hello_ext(0))
  fails("ARGUMENT", server:hello_ext(12345))
  fails("ARGUMENT", server:hello_bytes(99))
  local cert, key = load "rsa"
  ok(server:use_certificate(cert))
  ok(server:use_private_key(key))
  ok(server:answer_hello(0))
  equal(nil, (peer.handshake(client, server)))
  cert:close()
  key:close()
end)

case("the client hello is refused", function(client, server)
  ok(server:ask(constants.ASK_CLIENT_HELLO))
  until_asked(client, server)
  fails("ARGUMENT", server:answer_hello(-1))
  ok(server:answer_hello(112)) -- unrecognized_name
  equal(112, fails("ALERT", nil, (peer.handshake(client, server))).alert)
end)

case("a client is asked for its certificate", function(client)
  local demanding = ok(flatssl.server {certificate = identity.path "ec.pem",
    key = identity.path "ec.key", ca = identity.path "ca.pem"})
  ok(demanding:load_client_ca(identity.path "ca.pem"))
  local server = ok(flatssl.conn.new_memory(demanding))
  ok(client:ask(constants.ASK_CERTIFICATE))
  fails("STATE", client:answer_certificate(1))
  local who, err = until_asked(client, server)
  yes(who == client)
  fails("WANT_CERTIFICATE", nil, err)
  equal(1, client:client_ca_count())
  local name = ok(client:client_ca_item(0))
  contains("ca", name:text())
  fails("ARGUMENT", client:client_ca_item(1))
  yes(#client:peer_signature_algorithms() >= 2)
  local cert, key = load "client"
  ok(client:use_certificate(cert))
  ok(client:use_private_key(key))
  ok(client:answer_certificate(1))
  equal(nil, (peer.handshake(client, server)))
  contains("client", ok(ok(server:peer_certificate()):subject()):text())
  for _, object in ipairs {demanding, server, name, cert, key} do
    object:close()
  end
end)

case("a peer is verified by hand", function(_, _, client_ctx, _, version)
  for _, waived in ipairs {true, false} do
    local other = ok(flatssl.server {certificate = identity.path "untrusted.pem",
      key = identity.path "untrusted.key"})
    local server = ok(flatssl.conn.new_memory(other))
    local client = ok(flatssl.conn.new_memory(client_ctx))
    ok(client:set_host("localhost"))
    ok(client:ask(constants.ASK_VERIFY))
    fails("STATE", client:verify_error_count())
    fails("STATE", client:answer_verify(0))
    local who, err = until_asked(client, server)
    yes(who == client)
    fails("WANT_VERIFY", nil, err)
    yes(client:verify_error_count() >= 1)
    local code, depth = client:verify_error_item(0)
    equal(20, code)
    equal(0, depth)
    fails("ARGUMENT", client:verify_error_item(99))
    fails("ARGUMENT", client:waive_verify_error(99))
    if waived then
      ok(client:waive_verify_error(-1))
    end
    ok(client:answer_verify(0))
    local failure = peer.handshake(client, server)
    equal(waived, failure == nil, version)
    for _, object in ipairs {other, server, client} do
      object:close()
    end
  end
end)

case("a server name leads to another context", function(_, _, client_ctx, server_ctx)
  local other = ok(flatssl.server {certificate = identity.path "rsa.pem",
    key = identity.path "rsa.key"})
  ok(server_ctx:add_server_name("*.example.test", other))
  local client, server = peer.pair(client_ctx, server_ctx, "one.example.test")
  equal(nil, (peer.handshake(client, server)))
  yes(ok(server:context()) == other)
  contains("rsa", ok(ok(client:peer_certificate()):subject()):text())
  for _, object in ipairs {client, server, other} do
    object:close()
  end
end)

case("protocols by ALPN", function(_, _, client_ctx, server_ctx)
  ok(server_ctx:set_alpn_preference("\2h2\8http/1.1"))
  for offered, chosen in pairs {h2 = "h2", ["http/1.1"] = "http/1.1", other = false} do
    local client = ok(flatssl.conn.new_memory(client_ctx))
    local server = ok(flatssl.conn.new_memory(server_ctx))
    ok(client:set_host("localhost"))
    ok(client:set_alpn_protos(string.char(#offered) .. offered))
    local failure = peer.handshake(client, server)
    if chosen then
      equal(nil, failure)
      equal(chosen, client:alpn_proto())
    else
      equal(120, fails("ALERT", nil, failure).alert) -- no_application_protocol
    end
    client:close()
    server:close()
  end
end)

case("queues", function(_, _, client_ctx, server_ctx, version)
  for _, queue in ipairs {"KEYLOG", "SESSION", "INFO"} do
    ok(client_ctx:set_queue(constants["QUEUE_" .. queue], queue == "INFO" and 3 or 100))
    equal(0, client_ctx:queue_count(constants["QUEUE_" .. queue]))
  end
  fails("ARGUMENT", client_ctx:set_queue(99, 1))
  fails("ARGUMENT", client_ctx:queue_count(99))
  fails("ARGUMENT", client_ctx:queue_dropped(99))
  equal("", client_ctx:next_keylog())
  equal(nil, client_ctx:next_session())
  equal(false, (client_ctx:next_info()))
  local client, server = peer.connected(client_ctx, server_ctx)
  contains(version == "TLS1_2" and "CLIENT_RANDOM" or "TRAFFIC_SECRET", client_ctx:next_keylog())
  local session = ok(client_ctx:next_session())
  equal(constants.TYPE_SESSION, session:type())
  yes(session:resumable())
  equal(3, client_ctx:queue_count(constants.QUEUE_INFO))
  yes(client_ctx:queue_dropped(constants.QUEUE_INFO) > 0)
  local there, conn, where, result = client_ctx:next_info()
  equal(true, there)
  equal(client.handle, conn)
  equal(0x10, where) -- SSL_CB_HANDSHAKE_START
  equal(1, result)
  fails("ARGUMENT", client_ctx:set_keylog_fd(-2))
  ok(client_ctx:set_keylog_fd(constants.NO_FD))
  for _, object in ipairs {client, server, session} do
    object:close()
  end
end)

case("pre-shared keys", function(_, _, client_ctx, server_ctx, version)
  for _, ctx in ipairs {client_ctx, server_ctx} do
    ok(ctx:add_psk("lua", ("k"):rep(32)))
    ok(ctx:require_psk(true))
    ok(ctx:set_cipher_list("PSK"))
    ok(ctx:set_ciphersuites("TLS_AES_128_GCM_SHA256"))
  end
  fails("ARGUMENT", client_ctx:add_psk("", "key"))
  fails("ARGUMENT", client_ctx:require_psk("true"))
  local client, server = peer.pair(client_ctx, server_ctx)
  equal(nil, (peer.handshake(client, server)), version)
  equal(nil, client:peer_certificate())
  client:close()
  server:close()
end)

case("pins", function(_, _, client_ctx, server_ctx)
  local cert = load "ec"
  local key = ok(cert:public_key())
  local file = identity.write("public.der", key:public_to_der())
  local pipe = assert(io.popen("openssl dgst -sha256 -hex " .. file))
  local sha256 = pipe:read("*a"):match("(%x+)%s*$"):gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end)
  pipe:close()
  fails("ARGUMENT", client_ctx:add_pin("short"))
  ok(client_ctx:add_pin(("x"):rep(32)))
  local client, server = peer.pair(client_ctx, server_ctx)
  fails("VERIFY", nil, (peer.handshake(client, server)))
  ok(client_ctx:add_pin(sha256))
  local again, other = peer.connected(client_ctx, server_ctx)
  for _, object in ipairs {cert, key, client, server, again, other} do
    object:close()
  end
end)

case("stapled OCSP responses", function(_, server, client_ctx, server_ctx)
  ok(server_ctx:set_ocsp_response("\48\3\10\1\1")) -- malformedRequest
  fails("ARGUMENT", server_ctx:set_ocsp_response({}))
  ok(server:set_ocsp_response("\48\3\10\1\2"))
  for staple, asked in pairs {["\48\3\10\1\1"] = true, [""] = false} do
    local client = ok(flatssl.conn.new_memory(client_ctx))
    local other = ok(flatssl.conn.new_memory(server_ctx))
    ok(client:set_host("localhost"))
    if asked then
      ok(client:request_ocsp())
    end
    equal(nil, (peer.handshake(client, other)))
    equal(staple, client:ocsp_response())
    client:close()
    other:close()
  end
end)

case("NPN and tickets", function(_, _, client_ctx, server_ctx, version)
  ok(client_ctx:set_npn_preference("\4echo"))
  ok(server_ctx:set_npn_advertised("\2h2\4echo"))
  ok(server_ctx:set_num_tickets(1))
  fails("ARGUMENT", server_ctx:set_num_tickets(-1))
  ok(server_ctx:set_ticket_keys(("k"):rep(160)))
  fails("ARGUMENT", server_ctx:set_ticket_keys("k"))
  local a, b = peer.connected(client_ctx, server_ctx)
  equal(version == "TLS1_2" and "echo" or "", a:next_proto())
  for _, object in ipairs {a, b} do
    object:close()
  end
end)

check.case("what only a callback can call", function()
  local ctx = ok(flatssl.context())
  local conn = ok(flatssl.conn.new_memory(ctx))
  fails("STATE", conn:answer("x"))
  fails("STATE", conn:verify_cert())
  conn:close()
  ctx:close()
end)
