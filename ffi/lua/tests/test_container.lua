-- PKCS#12, PKCS#7, signed public keys and curves.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"

local constants = flatssl.constants
local equal, fails, ok, yes = check.equal, check.fails, check.ok, check.yes

local function close(...)
  for _, object in ipairs {...} do
    object:close()
  end
end

local function load(name)
  return ok(flatssl.cert.from_pem(identity.read(identity.path(name .. ".pem")))),
    ok(flatssl.key.from_pem(identity.read(identity.path(name .. ".key"))))
end

check.case("pkcs12", function()
  local made = ok(flatssl.pkcs12.new())
  local cert, key = load "ec"
  local ca, ca_key = load "ca"
  equal(nil, made:certificate())
  equal(nil, made:private_key())
  equal("", made:friendly_name())
  fails("STATE", made:to_der("secret", 0, 0))
  ok(made:set_certificate(cert))
  ok(made:set_private_key(ca_key))
  fails("KEY_MISMATCH", made:to_der("secret", 0, 0))
  ok(made:set_private_key(key))
  ok(made:add_ca(ca))
  ok(made:set_friendly_name("a friend"))
  local der = ok(made:to_der("secret", 2048, 2048))
  fails("PASSPHRASE_NEEDED", flatssl.pkcs12.from_der(der))
  fails("PASSPHRASE_WRONG", flatssl.pkcs12.from_der(der, "wrong"))
  fails("PARSE", flatssl.pkcs12.from_der("nothing"))
  local again = ok(flatssl.pkcs12.from_der(der, "secret"))
  local its_cert, its_key = ok(again:certificate()), ok(again:private_key())
  local its_ca = ok(again:ca_item(0))
  equal(cert:to_der(), its_cert:to_der())
  equal(key:to_der(), its_key:to_der())
  equal(ca:to_der(), its_ca:to_der())
  equal("a friend", again:friendly_name())
  equal(1, again:ca_count())
  fails("ARGUMENT", again:ca_item(1))
  ok(again:clear_ca())
  equal(0, again:ca_count())
  ok(again:set_certificate())
  equal(nil, again:certificate())
  close(made, cert, key, ca, ca_key, again, its_cert, its_key, its_ca)
end)

check.case("pkcs7", function()
  local pem = identity.path "bundle.p7"
  os.execute(("openssl crl2pkcs7 -nocrl -certfile %s -out %s"):format(identity.path "ca.pem", pem))
  local made = ok(flatssl.pkcs7.from_pem(identity.read(pem)))
  equal("pkcs7-signedData", made:type_name())
  os.execute(("openssl pkcs7 -in %s -outform DER -out %s.der"):format(pem, pem))
  local again = ok(flatssl.pkcs7.from_der(identity.read(pem .. ".der")))
  equal("pkcs7-signedData", again:type_name())
  fails("PARSE", flatssl.pkcs7.from_pem("nothing"))
  fails("PARSE", flatssl.pkcs7.from_der("nothing"))
  close(made, again)
end)

check.case("spki", function()
  local made = ok(flatssl.spki.new())
  local key = ok(flatssl.key.generate(constants.KEY_RSA, 2048))
  local other = ok(flatssl.key.generate(constants.KEY_RSA, 2048))
  fails("STATE", made:to_base64())
  ok(made:set_public_key(key))
  ok(made:sign(key, "sha256"))
  equal(0, made:verify(key))
  fails("VERIFY", made:verify(other))
  local again = ok(flatssl.spki.from_base64(made:to_base64()))
  local public = ok(again:public_key())
  equal(key:public_to_der(), public:public_to_der())
  fails("PARSE", flatssl.spki.from_base64("nothing"))
  close(made, key, other, again, public)
end)

check.case("curve", function()
  local count = ok(flatssl.curve.count())
  local names = {}
  for at = 0, count - 1 do
    names[flatssl.curve.item(at)] = true
  end
  yes(names.prime256v1 and names.secp384r1)
  fails("ARGUMENT", flatssl.curve.item(count))
  equal(true, flatssl.curve.in_tls("P-256"))
  equal(true, flatssl.curve.in_tls("secp384r1"))
  equal(false, flatssl.curve.in_tls("secp112r1"))
  fails("ARGUMENT", flatssl.curve.in_tls("no such curve"))
end)
