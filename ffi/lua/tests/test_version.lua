local check = require "check"
local flatssl = require "flatssl"

local constants = flatssl.constants

check.case("version", function()
  local major, minor, patch = check.ok(flatssl.version.text()):match("^(%d+)%.(%d+)%.(%d+)$")
  check.equal(major * 10000 + minor * 100 + patch, check.ok(flatssl.version.number()))
end)

check.case("version of OpenSSL", function()
  check.yes(check.ok(flatssl.version.openssl()) >= 0x30000020)
  check.contains("OpenSSL ", flatssl.version.openssl_text(constants.OPENSSL_VERSION))
  check.contains("platform", flatssl.version.openssl_text(constants.OPENSSL_PLATFORM))
  check.fails("ARGUMENT", flatssl.version.openssl_text(99))
end)

check.case("capacities", function()
  local whole = check.ok(flatssl.version.text())
  check.equal(whole, flatssl.version.text(#whole))
  check.fails("BUFFER", flatssl.version.text(#whole - 1))
  check.equal("", flatssl.version.text(0))
end)
