-- Whom a client trusts, and a server. A store is what a context trusts.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"
local peer = require "peer"

local constants = flatssl.constants
local equal, fails, ok, yes = check.equal, check.fails, check.ok, check.yes

-- Returns the error of each end of a handshake, and closes all.
local function try(client_ctx, server_ctx, host)
  local client, server = peer.pair(client_ctx, server_ctx, host)
  local client_failure, server_failure = peer.handshake(client, server)
  for _, object in ipairs {client, server, client_ctx, server_ctx} do
    object:close()
  end
  return client_failure, server_failure
end

for _, version in ipairs {"TLS1_2", "TLS1_3"} do
  local function case(name, run)
    check.case(version .. ": " .. name, run)
  end

  local function contexts(name)
    local client, server = peer.contexts(name)
    peer.pin(version, client, server)
    return client, server
  end

  case("a trusted peer is taken", function()
    for _, name in ipairs {"rsa", "ec"} do
      local client, server = contexts(name)
      equal(nil, (try(client, server)))
    end
  end)

  case("an untrusted peer is refused", function()
    local err, alert = try(contexts("untrusted"))
    fails("VERIFY", nil, err)
    equal("certificate", err.kind)
    equal(20, err.verify_code) -- X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    fails("ALERT", nil, alert)
    equal(48, alert.alert) -- unknown_ca
  end)

  case("the wrong host is refused", function()
    for _, host in ipairs {"wrong.test", "127.0.0.2", "a.b.example.test"} do
      local client, server = contexts("ec")
      fails("HOST", nil, (try(client, server, host)))
    end
    for _, host in ipairs {"LOCALHOST", "127.0.0.1", "one.example.test"} do
      local client, server = contexts("ec")
      equal(nil, (try(client, server, host)), host)
    end
  end)

  case("a server demands certificates of its clients", function()
    for name, code in pairs {client = false, untrusted = "VERIFY", [""] = "VERIFY"} do
      local client, server = contexts("ec")
      local demanding = ok(flatssl.server {certificate = identity.path "ec.pem",
        key = identity.path "ec.key", ca = identity.path "ca.pem"})
      if name ~= "" then
        ok(client:use_certificate_chain_file(identity.path(name .. ".pem")))
        ok(client:use_private_key_file(identity.path(name .. ".key"), constants.FILETYPE_PEM))
      end
      local _, failure = try(client, demanding)
      server:close()
      if code then
        yes(failure and failure.code ~= 0, "a client with " .. name .. " was taken")
      else
        equal(nil, failure)
      end
    end
  end)
end

check.case("a host name is needed", function()
  local client_ctx, server_ctx = peer.contexts("ec")
  local client = ok(flatssl.conn.new_memory(client_ctx))
  local server = ok(flatssl.conn.new_memory(server_ctx))
  yes(client:do_handshake() == nil)
  local _, err = client:do_handshake()
  yes(err.kind == "usage" or err.kind == "certificate", tostring(err))
  for _, object in ipairs {client, server, client_ctx, server_ctx} do
    object:close()
  end
end)

check.case("trust by file, directory, text and the system's", function()
  local ctx = ok(flatssl.context())
  ok(ctx:load_verify_locations(identity.path "ca.pem"))
  ok(ctx:load_verify_locations(nil, identity.path "."))
  fails("ARGUMENT", ctx:load_verify_locations())
  fails("ARGUMENT", ctx:load_verify_locations("a\0b"))
  equal(1, ctx:load_verify_pem(identity.read(identity.path "ca.pem")))
  fails("PARSE", ctx:load_verify_pem("nothing"))
  ok(ctx:set_default_verify_paths())
  ctx:close()
end)

check.case("a context's store", function()
  local ctx, store = ok(flatssl.context()), ok(flatssl.store.new())
  local pem = identity.read(identity.path "ca.pem")
  local cert = ok(flatssl.cert.from_pem(pem))
  equal(0, store:count())
  ok(store:add_cert(cert))
  ok(store:add_cert(cert))
  equal(1, store:count())
  equal(1, store:add_pem(identity.read(identity.path "stranger.pem")))
  equal(2, store:count())
  fails("PARSE", store:add_pem("nothing"))
  fails("HANDLE_TYPE", store:add_cert(ctx))
  ok(ctx:set_cert_store(store))
  local of_ctx = ok(ctx:cert_store())
  yes(of_ctx == store)
  fails("HANDLE_TYPE", ctx:set_cert_store(ctx))
  for _, object in ipairs {ctx, store, cert, of_ctx} do
    object:close()
  end
end)
