-- Contexts: each setting is read back, or seen in a handshake; each has a value that is refused.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"
local peer = require "peer"

local constants = flatssl.constants
local contains, equal, fails, ok, yes =
  check.contains, check.equal, check.fails, check.ok, check.yes

-- A case with a context of its own.
local function case(name, run)
  check.case("ctx: " .. name, function()
    local ctx = ok(flatssl.context())
    run(ctx)
    ctx:close()
  end)
end

case("app data", function(ctx)
  equal(0, ctx:app_data())
  for _, data in ipairs {1, -1, 2 ^ 53, -2 ^ 53} do
    ok(ctx:set_app_data(data))
    equal(data, ctx:app_data())
  end
  fails("ARGUMENT", ctx:set_app_data(2 ^ 64))
end)

case("methods", function()
  for name, method in pairs(constants) do
    if name:find("^TLS.*_METHOD$") then
      ok(flatssl.context(method)):close()
    end
  end
  fails("UNSUPPORTED", flatssl.context(constants.SSLV2_METHOD))
  fails("UNSUPPORTED", flatssl.context(constants.SSLV3_METHOD))
  fails("ARGUMENT", flatssl.context(99))
end)

case("safe defaults", function(ctx)
  local client, server = ok(flatssl.client()), ok(flatssl.server())
  equal(constants.VERIFY_PEER, client:verify_mode())
  equal(constants.VERIFY_NONE, ctx:verify_mode())
  equal(constants.TLS1_2_VERSION, client:min_proto_version())
  equal(constants.TLS1_2_VERSION, server:min_proto_version())
  client:close()
  server:close()
end)

case("apart", function()
  local client = ok(flatssl.ctx.new_apart(constants.SAFE + constants.TLS_CLIENT_METHOD, 2))
  equal(constants.VERIFY_PEER, client:verify_mode())
  fails("ARGUMENT", flatssl.ctx.new_apart(constants.TLS_METHOD, 257))
  client:close()
end)

case("options", function(ctx)
  local all = ok(ctx:set_options(constants.OP_NO_TICKET))
  equal(all, ctx:options())
  local without = ok(ctx:clear_options(constants.OP_NO_TICKET))
  equal(all - constants.OP_NO_TICKET, without)
  yes(ok(flatssl.ctx.option_value(constants.OPTION_ALL)) > 0)
  yes(ok(flatssl.ctx.option_value(constants.OPTION_ENABLE_KTLS)) > 0)
  fails("ARGUMENT", flatssl.ctx.option_value(99))
  fails("UNSUPPORTED", ctx:set_options(2 ^ 52))
end)

case("mode", function(ctx)
  local all = ok(ctx:set_mode(constants.MODE_RELEASE_BUFFERS))
  equal(all, ctx:mode())
  equal(all - constants.MODE_RELEASE_BUFFERS, ctx:clear_mode(constants.MODE_RELEASE_BUFFERS))
  fails("ARGUMENT", ctx:set_mode(-1))
end)

case("versions", function(ctx)
  ok(ctx:set_min_proto_version(constants.TLS1_2_VERSION))
  ok(ctx:set_max_proto_version(constants.TLS1_3_VERSION))
  equal(constants.TLS1_2_VERSION, ctx:min_proto_version())
  equal(constants.TLS1_3_VERSION, ctx:max_proto_version())
  fails("ARGUMENT", ctx:set_min_proto_version(5))
  fails("ARGUMENT", ctx:set_max_proto_version(-1))
end)

case("ciphers and groups", function(ctx)
  ok(ctx:set_cipher_list("ECDHE+AESGCM"))
  fails("CIPHER", ctx:set_cipher_list("NONE"))
  ok(ctx:set_ciphersuites("TLS_AES_256_GCM_SHA384"))
  fails("CIPHER", ctx:set_ciphersuites("TLS_NONE"))
  ok(ctx:set_groups("X25519:P-256"))
  yes(ctx:set_groups("NONE") == nil)
  fails("ARGUMENT", ctx:set_cipher_list("ECDHE\0+AESGCM"))
end)

case("security level", function(ctx)
  ok(ctx:set_security_level(3))
  equal(3, ctx:security_level())
  fails("ARGUMENT", ctx:set_security_level(6))
end)

case("verify mode and depth", function(ctx)
  ok(ctx:set_verify(constants.VERIFY_PEER))
  equal(constants.VERIFY_PEER, ctx:verify_mode())
  fails("ARGUMENT", ctx:set_verify(64))
  equal(-1, ctx:verify_depth())
  ok(ctx:set_verify_depth(3))
  equal(3, ctx:verify_depth())
  fails("ARGUMENT", ctx:set_verify_depth(-2))
end)

case("sessions", function(ctx)
  local former = ok(ctx:set_session_cache_mode(constants.SESS_CACHE_BOTH))
  equal(constants.SESS_CACHE_SERVER, former)
  equal(constants.SESS_CACHE_BOTH, ctx:session_cache_mode())
  fails("ARGUMENT", ctx:set_session_cache_mode(-1))
  ok(ctx:set_timeout(77))
  equal(77, ctx:timeout())
  equal(77, ctx:set_timeout(78))
  fails("ARGUMENT", ctx:set_timeout(-1))
  ok(ctx:set_session_id_context("lua"))
  fails("ARGUMENT", ctx:set_session_id_context(("x"):rep(33)))
end)

case("protocols", function(ctx)
  for _, set in ipairs {"alpn_protos", "alpn_preference", "npn_advertised", "npn_preference"} do
    ok(ctx["set_" .. set](ctx, "\2h2\8http/1.1"))
    fails("ARGUMENT", ctx["set_" .. set](ctx, "\2h"))
    fails("ARGUMENT", ctx["set_" .. set](ctx, "\0"))
  end
end)

case("read-ahead and buffers", function(ctx)
  ok(ctx:set_read_ahead(65536))
  fails("ARGUMENT", ctx:set_read_ahead(-1))
  fails("STATE", ctx:set_resumption(5))
  local safe = ok(flatssl.ctx.new_client())
  ok(safe:set_resumption(5))
  safe:close()
  ok(ctx:set_buffer_release(true))
  fails("ARGUMENT", ctx:set_buffer_release("true"))
end)

case("certificate and key", function(ctx)
  local chain = identity.read(identity.path "ec.pem")
  fails("STATE", ctx:check_private_key())
  ok(ctx:use_certificate_file(identity.path "ec.pem", constants.FILETYPE_PEM))
  fails("KEY_MISMATCH", ctx:use_private_key_file(identity.path "client.key",
    constants.FILETYPE_PEM))
  ok(ctx:use_private_key_file(identity.path "ec.key", constants.FILETYPE_PEM))
  equal(0, ctx:check_private_key())
  fails("SYSCALL", ctx:use_certificate_file("/no/such", constants.FILETYPE_PEM))
  fails("ARGUMENT", ctx:use_certificate_file(identity.path "ec.pem", 99))
  fails("SYSCALL", ctx:use_private_key_file("/no/such", constants.FILETYPE_PEM))
  ok(ctx:use_certificate_chain(chain))
  fails("PARSE", ctx:use_certificate_chain("nothing"))
  ok(ctx:use_certificate_chain_file(identity.path "ec.pem"))
  fails("PARSE", ctx:use_certificate_chain_file(identity.path "config"))
end)

case("certificate and key as objects", function(ctx)
  local cert = ok(flatssl.cert.from_pem(identity.read(identity.path "ec.pem")))
  local issuer = ok(flatssl.cert.from_pem(identity.read(identity.path "ca.pem")))
  local key = ok(flatssl.key.from_pem(identity.read(identity.path "ec.key")))
  local other = ok(flatssl.key.generate(constants.KEY_EC, 0, "P-256"))
  ok(ctx:use_certificate(cert))
  fails("KEY_MISMATCH", ctx:use_private_key(other))
  ok(ctx:use_private_key(key))
  ok(ctx:add_extra_chain_cert(issuer))
  fails("HANDLE_TYPE", ctx:use_certificate(key))
  for _, object in ipairs {cert, issuer, key, other} do
    object:close()
  end
end)

case("passphrase", function(ctx)
  local path = identity.path "locked.key"
  ok(ctx:use_certificate_file(identity.path "ec.pem", constants.FILETYPE_PEM))
  fails("PASSPHRASE_NEEDED", ctx:use_private_key_file(path, constants.FILETYPE_PEM))
  ok(ctx:set_passphrase("wrong"))
  fails("PASSPHRASE_WRONG", ctx:use_private_key_file(path, constants.FILETYPE_PEM))
  ok(ctx:set_passphrase("secret"))
  ok(ctx:use_private_key_file(path, constants.FILETYPE_PEM))
  fails("ARGUMENT", ctx:set_passphrase(("x"):rep(1025)))
end)

case("the answer of a callback that is not there", function(ctx)
  fails("STATE", ctx:answer_passphrase("secret"))
end)

case("parameters for Diffie-Hellman", function(ctx)
  local path = identity.path "dh.pem"
  os.execute("openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out " .. path
    .. " 2>/dev/null")
  ok(ctx:load_tmp_dh(path))
  fails("SYSCALL", ctx:load_tmp_dh("/no/such"))
end)

case("issuers of clients' certificates", function(ctx)
  local cert = ok(flatssl.cert.from_pem(identity.read(identity.path "ca.pem")))
  local name = ok(cert:subject())
  ok(ctx:load_client_ca(identity.path "ca.pem"))
  fails("SYSCALL", ctx:load_client_ca("/no/such"))
  ok(ctx:add_client_ca(cert))
  ok(ctx:set_client_ca_list(name:to_der()))
  fails("PARSE", ctx:set_client_ca_list("nothing"))
  cert:close()
  name:close()
end)

case("other contexts for server names", function(ctx)
  local other = ok(flatssl.context())
  ok(ctx:add_server_name("one.example.test", other))
  ok(ctx:add_server_name("*.example.test", other))
  fails("ARGUMENT", ctx:add_server_name("", other))
  fails("ARGUMENT", ctx:add_server_name("a\0b", other))
  fails("HANDLE", ctx:add_server_name("two.example.test", 0))
  other:close()
end)

-- ---- the options of flatssl.client and its like ----

check.case("options of a context", function()
  local client, server = peer.contexts("ec")
  client:close()
  server:close()
  contains("no option cas", fails("ARGUMENT", flatssl.client {cas = "x"}))
  contains("a table", fails("ARGUMENT", flatssl.client("ca.pem")))
  contains("a table", fails("ARGUMENT", flatssl.connect("localhost", 443, false)))
  contains("no option timeout", fails("ARGUMENT", flatssl.client {timeout = 1}))
  fails("SYSCALL", flatssl.client {ca = "/no/such"})
  fails("SYSCALL", flatssl.server {certificate = "/no/such"})
  for key, code in pairs {rsa = "STATE", client = "KEY_MISMATCH"} do
    fails(code, flatssl.server {
      certificate = identity.path "ec.pem", key = identity.path(key .. ".key")})
  end
  fails("ARGUMENT", flatssl.client {alpn = {""}})
  fails("ARGUMENT", flatssl.client {alpn = {1}})
  ok(flatssl.server {certificate = identity.path "ec.pem", key = identity.path "locked.key",
    passphrase = "secret"}):close()
end)
