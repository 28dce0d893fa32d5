-- The error object.

local check = require "check"
local flatssl = require "flatssl"

local constants = flatssl.constants

check.case("an error has code, name, kind, lines and text", function()
  local ctx = check.ok(flatssl.context())
  local err = check.fails("CIPHER", ctx:set_cipher_list("NO-SUCH-CIPHER"))
  check.equal("FSSL_E_CIPHER", err.name)
  check.equal("tls", err.kind)
  check.equal("SSL routines", err.lines[1].library)
  check.contains("set_cipher_list", err.lines[1].func)
  check.equal("no cipher match", err.lines[1].reason)
  check.yes(err.lines[1].openssl_code > 0)
  check.yes(err.lines[1].source_line > 0)
  check.contains("no cipher match", tostring(err))
  check.equal(nil, err.errno)
  ctx:close()
end)

check.case("an error of the system has its errno", function()
  local ctx = check.ok(flatssl.context())
  local err = check.fails("SYSCALL", ctx:load_verify_locations("/no/such/file"))
  check.equal(2, err.errno)
  check.equal("system", err.kind)
  ctx:close()
end)

check.case("codes without a record have one object each", function()
  local _, first = flatssl.handle.type(0)
  local _, second = flatssl.handle.type(1)
  check.fails("HANDLE", nil, first)
  check.equal(true, rawequal(first, second))
  check.equal(0, #first.lines)
  check.equal("usage", first.kind)
end)

check.case("an error is read at once and survives 2,000 others", function()
  local ctx = check.ok(flatssl.context())
  local err = check.fails("CIPHER", ctx:set_cipher_list("NO-SUCH-CIPHER"))
  for _ = 1, 2000 do
    check.fails("ARGUMENT", flatssl.ctx.new(99))
  end
  check.contains("no cipher match", tostring(err))
  ctx:close()
end)

check.case("a record that was overwritten is expired", function()
  local loader = require "flatssl.loader"
  local result = loader.functions.fssl_ctx_new.call(99)
  check.equal(constants.E_ARGUMENT, flatssl.error.code(result))
  check.equal(1, flatssl.error.count(result))
  check.equal("fssl_ctx_new", flatssl.error.str(result, constants.ERROR_FUNCTION, 0))
  check.equal(-1, flatssl.error.int(result, constants.ERROR_ERRNO, 0))
  check.fails("ARGUMENT", flatssl.error.str(result, 99, 0))
  check.fails("ARGUMENT", flatssl.error.int(result, 99, 0))
  for _ = 1, 1024 do
    flatssl.ctx.new(99)
  end
  check.equal(constants.E_EXPIRED, flatssl.error.code(result))
  check.fails("EXPIRED", flatssl.error.count(result))
  check.fails("EXPIRED", flatssl.error.str(result, constants.ERROR_FUNCTION, 0))
end)

check.case("names, kinds and texts of codes", function()
  for name, code in pairs(constants) do
    if name:find("^E_") then
      check.equal("FSSL_" .. name, flatssl.error.name(code))
      check.equal(math.floor(code / 100), flatssl.error.kind(code))
      check.yes(#check.ok(flatssl.error.text(-code)) > 0)
    end
  end
  check.equal(constants.OK, flatssl.error.code(5))
  check.equal(constants.KIND_SYSTEM, flatssl.error.kind(399))
  check.fails("ARGUMENT", flatssl.error.name(399))
end)

check.case("flatssl.assert raises the text", function()
  check.equal(5, flatssl.assert(5))
  check.equal(false, flatssl.assert(false))
  local ok, why = pcall(flatssl.assert, flatssl.handle.type(0))
  check.equal(false, ok)
  check.contains("no such open handle", why)
end)
