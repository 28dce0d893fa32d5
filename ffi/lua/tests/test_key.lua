-- Keys, names and extensions.

local check = require "check"
local flatssl = require "flatssl"
local identity = require "identity"

local constants = flatssl.constants
local contains, equal, fails, ok, yes =
  check.contains, check.equal, check.fails, check.ok, check.yes

local function close(...)
  for _, object in ipairs {...} do
    object:close()
  end
end

for name, kind in pairs {
  RSA = {2048, nil, 2048}, EC = {0, "P-256", 256}, ED25519 = {0, nil, 253}, ED448 = {0, nil, 448},
} do
  check.case("key: " .. name, function()
    local key = ok(flatssl.key.generate(constants["KEY_" .. name], kind[1], kind[2]))
    equal(constants["KEY_" .. name], key:type())
    yes(math.abs(kind[3] - key:bits()) <= 8, key:bits())
    equal(true, key:is_private())
    equal(name == "EC" and "prime256v1" or "", key:curve())
    local pem, public = key:to_pem(), key:public_to_pem()
    local again, half = ok(flatssl.key.from_pem(pem)), ok(flatssl.key.public_from_pem(public))
    local from_der = ok(flatssl.key.from_der(key:to_der()))
    local half_der = ok(flatssl.key.public_from_der(key:public_to_der()))
    equal(pem, again:to_pem())
    equal(pem, from_der:to_pem())
    equal(public, half_der:public_to_pem())
    equal(false, half:is_private())
    fails("STATE", half:to_pem())
    fails("STATE", half:to_der())
    contains("priv", key:to_text():lower())
    local digest = name:find("^ED") and "" or "sha256"
    local signature = ok(key:sign("data", digest))
    equal(0, half:verify(signature, "data", digest))
    fails("VERIFY", half:verify(signature, "date", digest))
    fails("ARGUMENT", key:sign("data", "no-such-digest"))
    equal(0, key:check())
    fails("STATE", half:check())
    close(key, again, half, from_der, half_der)
  end)
end

check.case("key: passphrases", function()
  local key = ok(flatssl.key.generate(constants.KEY_EC, 0, "P-256"))
  local pem = ok(key:to_pem("aes-256-cbc", "secret"))
  contains("ENCRYPTED", pem)
  fails("PASSPHRASE_NEEDED", flatssl.key.from_pem(pem))
  fails("PASSPHRASE_WRONG", flatssl.key.from_pem(pem, "wrong"))
  local again = ok(flatssl.key.from_pem(pem, "secret"))
  equal(key:to_pem(), again:to_pem())
  yes(key:to_pem("no-such-cipher", "secret") == nil)
  local locked = ok(flatssl.key.from_pem(identity.read(identity.path "locked.key"), "secret"))
  close(key, again, locked)
end)

check.case("key: what is none", function()
  fails("ARGUMENT", flatssl.key.generate(12345, 0))
  yes(flatssl.key.generate(constants.KEY_EC, 0, "no-such-curve") == nil)
  for _, from in ipairs {"from_pem", "from_der", "public_from_pem", "public_from_der"} do
    fails("PARSE", flatssl.key[from]("nothing"))
    fails("PARSE", flatssl.key[from](""))
  end
end)

check.case("name", function()
  local name = ok(flatssl.name.new())
  equal(0, name:count())
  ok(name:add_item("CN", "one"))
  ok(name:add_item("O", "two\195\188"))
  equal("CN", name:item_type(0))
  equal("one", name:item_value(0))
  equal("two\195\188", name:item_value(1))
  ok(name:set_item("CN", "three"))
  equal(2, name:count())
  fails("ARGUMENT", name:item_type(2))
  fails("ARGUMENT", name:item_value(-1))
  fails("ARGUMENT", name:add_item("no such type", "x"))
  fails("ARGUMENT", name:add_item("CN", "a\0b"))
  fails("ARGUMENT", name:set_item("no such type", "x"))
  contains("CN=three", name:text())
  local copy, again = ok(name:copy()), ok(flatssl.name.from_der(name:to_der()))
  equal(0, name:compare(again))
  equal(name:hash(), copy:hash())
  ok(copy:set_item("CN", "other"))
  yes(name:compare(copy) ~= 0)
  fails("PARSE", flatssl.name.from_der("nothing"))
  close(name, copy, again)
end)

check.case("ext", function()
  local ext = ok(flatssl.ext.new("basicConstraints", true, "CA:TRUE,pathlen:0"))
  equal("basicConstraints", ext:name())
  equal(true, ext:critical())
  equal("CA:TRUE, pathlen:0", ext:text())
  local again = ok(flatssl.ext.from_der("2.5.29.19", false, ext:data()))
  equal(false, again:critical())
  equal(ext:data(), again:data())
  fails("ARGUMENT", flatssl.ext.new("noSuchExtension", false, "x"))
  fails("PARSE", flatssl.ext.new("basicConstraints", false, "x"))
  fails("ARGUMENT", flatssl.ext.from_der("no type", false, "x"))
  close(ext, again)
end)

check.case("ext: outputs longer than the loaders' scratch memory", function()
  for _, len in ipairs {16383, 16384, 16385, 100000} do
    local data = ("0123456789"):rep(10000):sub(1, len)
    local ext = ok(flatssl.ext.from_der("1.2.3.4", false, data))
    equal(data, ext:data())
    equal(data, ext:data(len))
    equal(data, ext:data(200000))
    fails("BUFFER", ext:data(len - 1))
    equal("", ext:data(0))
    ext:close()
  end
end)
