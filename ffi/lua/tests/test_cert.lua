-- Certificates: read, built, signed.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"

local constants = flatssl.constants
local contains, equal, fails, ok, yes =
  check.contains, check.equal, check.fails, check.ok, check.yes

local function load(name)
  return ok(flatssl.cert.from_pem(identity.read(identity.path(name .. ".pem"))))
end

local function close(...)
  for _, object in ipairs {...} do
    object:close()
  end
end

check.case("cert: forms", function()
  local cert = load "ec"
  local again = ok(flatssl.cert.from_der(cert:to_der()))
  equal(cert:to_pem(), again:to_pem())
  equal(identity.read(identity.path "ec.pem"), cert:to_pem())
  contains("CN=ec", (cert:to_text():gsub(" = ", "=")))
  fails("PARSE", flatssl.cert.from_pem("nothing"))
  fails("PARSE", flatssl.cert.from_der(cert:to_der() .. "x"))
  close(cert, again)
end)

check.case("cert: what it tells", function()
  local cert = load "ec"
  local subject, issuer, key = ok(cert:subject()), ok(cert:issuer()), ok(cert:public_key())
  equal("CN=ec,O=flatssl", subject:text())
  equal("CN=ca,O=flatssl", issuer:text())
  equal(2, cert:version())
  yes(cert:serial():find("^%x+$"))
  yes(math.abs(cert:not_before() - os.time()) < 600)
  equal(3 * 86400, cert:not_after() - cert:not_before())
  contains(os.date("!%Y"), cert:not_before_text())
  yes(#cert:not_after_text() == 15)
  equal("ecdsa-with-SHA256", cert:signature_algorithm())
  equal(32, #cert:digest("sha256"))
  fails("ARGUMENT", cert:digest("no-such-digest"))
  equal(false, key:is_private())
  yes(cert:subject_name_hash() > 0)
  close(cert, subject, issuer, key)
end)

check.case("cert: alternative names", function()
  local cert = load "ec"
  equal(4, cert:alt_name_count())
  local kind, name = cert:alt_name_item(0)
  equal(2, kind)
  equal("localhost", name)
  kind, name = cert:alt_name_item(2)
  equal(7, kind)
  equal("\127\0\0\1", name)
  fails("ARGUMENT", cert:alt_name_item(4))
  close(cert)
end)

check.case("cert: hosts", function()
  local cert = load "ec"
  equal(true, cert:matches_host("localhost"))
  equal(true, cert:matches_host("127.0.0.1"))
  equal(true, cert:matches_host("one.example.test"))
  equal(false, cert:matches_host("example.test"))
  equal(false, cert:matches_host("127.0.0.2"))
  fails("ARGUMENT", cert:matches_host(""))
  fails("ARGUMENT", cert:matches_host("localhost\0.test"))
  close(cert)
end)

check.case("cert: extensions and signature", function()
  local cert, ca, other = load "ec", load "ca", load "stranger"
  local ca_key, other_key = ok(ca:public_key()), ok(other:public_key())
  local private = ok(flatssl.key.from_pem(identity.read(identity.path "ec.key")))
  equal(4, cert:ext_count())
  local ext = ok(cert:ext_item(0))
  equal("basicConstraints", ext:name())
  fails("ARGUMENT", cert:ext_item(4))
  equal(0, cert:verify(ca_key))
  fails("VERIFY", cert:verify(other_key))
  equal(0, cert:check_private_key(private))
  fails("KEY_MISMATCH", ca:check_private_key(private))
  close(cert, ca, other, ca_key, other_key, private, ext)
end)

-- Builds a certificate that signs itself.
local function build(key)
  local name = ok(flatssl.name.new())
  local cert = ok(flatssl.cert.new())
  ok(name:add_item("CN", "built"))
  ok(cert:set_version(2))
  ok(cert:set_serial("1234567890123456789012", 10))
  ok(cert:set_not_before(os.time() - 60))
  ok(cert:set_not_after(os.time() + 60))
  ok(cert:set_subject(name))
  ok(cert:set_issuer(name))
  ok(cert:set_public_key(key))
  for _, value in ipairs {"basicConstraints CA:TRUE", "keyUsage keyCertSign,cRLSign",
    "subjectKeyIdentifier hash"} do
    local type, text = value:match("(%S+) (.*)")
    local ext = ok(flatssl.ext.new(type, type ~= "subjectKeyIdentifier", text, cert, cert))
    ok(cert:add_ext(ext))
    ext:close()
  end
  ok(cert:sign(key, "sha256"))
  name:close()
  return cert
end

check.case("cert: built and signed", function()
  local key = ok(flatssl.key.generate(constants.KEY_EC, 0, "P-256"))
  local cert = build(key)
  equal(0, cert:verify(key))
  equal("42ED123B0BD8203A14", cert:serial():upper())
  local store = ok(flatssl.store.new())
  ok(store:add_cert(cert))
  local chain = ok(flatssl.chain.new(store, cert))
  equal(0, chain:verify())
  local path = identity.write("built.pem", cert:to_pem())
  local pipe = assert(io.popen("openssl x509 -noout -serial -subject -in " .. path))
  local told = pipe:read("*a")
  pipe:close()
  contains("serial=" .. cert:serial():upper(), told:upper():gsub("SERIAL", "serial"))
  contains("CN = built", told)
  close(key, cert, store, chain)
end)

check.case("cert: a copy can be changed, what a peer or store gave cannot", function()
  local key = ok(flatssl.key.generate(constants.KEY_EC, 0, "P-256"))
  local cert = build(key)
  local store = ok(flatssl.store.new())
  ok(store:add_cert(cert))
  local stored = ok(store:item(0))
  fails("READONLY", stored:set_serial("1", 10))
  local copy = ok(stored:copy())
  ok(copy:set_serial("ff", 16))
  equal("FF", copy:serial():upper())
  fails("ARGUMENT", copy:set_serial("xyz", 10))
  fails("ARGUMENT", copy:set_version(-1))
  ok(copy:set_not_before_text("20200101000000Z"))
  ok(copy:set_not_after_text("20300101000000Z"))
  equal(1577836800, copy:not_before())
  equal("20300101000000Z", copy:not_after_text())
  fails("ARGUMENT", copy:set_not_before_text("yesterday"))
  fails("ARGUMENT", copy:set_not_after_text("tomorrow"))
  close(key, cert, store, stored, copy)
end)

check.case("cert: nothing is set yet", function()
  local cert = ok(flatssl.cert.new())
  fails("PARSE", cert:to_pem())
  fails("STATE", cert:not_before())
  fails("STATE", cert:not_after())
  equal("", cert:not_before_text())
  equal("", cert:signature_algorithm())
  close(cert)
end)
