-- DTLS on memory, datagram by datagram.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"
local peer = require "peer"

local equal, fails, ok, yes = check.equal, check.fails, check.ok, check.yes
local constants = flatssl.constants
local SECRET = ("s"):rep(32)

local function contexts()
  local client, server = ok(flatssl.ctx.new_dtls_client()), ok(flatssl.ctx.new_dtls_server())
  ok(client:load_verify_locations(identity.path "ca.pem"))
  ok(server:use_certificate_chain_file(identity.path "ec.pem"))
  ok(server:use_private_key_file(identity.path "ec.key", constants.FILETYPE_PEM))
  return client, server
end

-- Carries the datagrams of one end to the other.
local function pass(from, to)
  local datagram = from:bio_read()
  while datagram do
    equal(#datagram, ok(to:bio_write(datagram)))
    datagram = from:bio_read()
  end
end

check.case("dtls: a client shows its cookie, then shakes hands", function()
  local client_ctx, server_ctx = contexts()
  ok(server_ctx:set_dtls_cookie_secret(SECRET))
  fails("ARGUMENT", server_ctx:set_dtls_cookie_secret "short")
  local client, server = peer.pair(client_ctx, server_ctx)
  ok(server:set_dtls_peer "192.0.2.1:5684")
  fails("ARGUMENT", server:set_dtls_peer "")
  equal(-1, ok(client:dtls_timeout()))
  fails("WANT_READ", client:do_handshake())
  pass(client, server)
  fails("WANT_READ", server:dtls_listen())
  pass(server, client)
  fails("WANT_READ", client:do_handshake())
  pass(client, server)
  yes(ok(client:dtls_timeout()) > 0)
  yes(not ok(client:handle_dtls_timeout()))
  ok(server:dtls_listen())
  fails("STATE", server:dtls_listen())
  peer.handshake(client, server)
  equal("DTLSv1.2", client:protocol_version_name())
  client:close()
  server:close()
  client_ctx:close()
  server_ctx:close()
end)

check.case("dtls: a send is a datagram", function()
  local client_ctx, server_ctx = contexts()
  local client, server = peer.pair(client_ctx, server_ctx)
  ok(client:set_ciphertext_mtu(600))
  ok(server:set_ciphertext_mtu(600))
  fails("ARGUMENT", server:set_ciphertext_mtu(100))
  peer.handshake(client, server)
  local fits = ok(client:cleartext_mtu())
  yes(fits > 500 and fits < 600)
  ok(client:send(("a"):rep(fits)))
  ok(client:send "b")
  fails("ARGUMENT", client:send(("c"):rep(20000)))
  pass(client, server)
  equal(fits, #ok(server:recv(4096)))
  equal("b", ok(server:recv(4096)))
  fails("WANT_READ", server:recv(4096))
  client:close()
  server:close()
  client_ctx:close()
  server_ctx:close()
end)

check.case("dtls: profiles of SRTP", function()
  local client_ctx, server_ctx = contexts()
  ok(client_ctx:set_srtp_profiles "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM")
  ok(server_ctx:set_srtp_profiles "SRTP_AEAD_AES_128_GCM")
  fails("ARGUMENT", server_ctx:set_srtp_profiles "NONE")
  local client, server = peer.pair(client_ctx, server_ctx)
  equal(0, ok(client:srtp_profile()))
  peer.handshake(client, server)
  for _, conn in ipairs {client, server} do
    equal(7, ok(conn:srtp_profile()))
    equal("SRTP_AEAD_AES_128_GCM", ok(conn:srtp_profile_name()))
  end
  client:close()
  server:close()
  fails("HANDLE", client:srtp_profile())
  fails("HANDLE", server:srtp_profile_name())
  client_ctx:close()
  server_ctx:close()
end)

check.case("dtls: not for streams", function()
  local client_ctx, server_ctx = peer.contexts "ec"
  local client, server = peer.pair(client_ctx, server_ctx)
  fails("STATE", client:dtls_timeout())
  fails("STATE", client:handle_dtls_timeout())
  fails("STATE", client:cleartext_mtu())
  fails("STATE", server:dtls_listen())
  fails("STATE", server_ctx:set_dtls_cookie_secret(SECRET))
  client:close()
  server:close()
  client_ctx:close()
  server_ctx:close()
end)
