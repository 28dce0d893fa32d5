-- These come last: what the other cases called.

local check = require "check"
local coverage = require "coverage"
local loader = require "flatssl.loader"
local surface = require "surface"

-- Functions that succeed only within a callback, which Lua has not.
local WITHIN_CALLBACK = {
  fssl_conn_answer = true, fssl_conn_verify_cert = true, fssl_ctx_answer_passphrase = true,
}

-- Functions without an argument have none that can be wrong.
local never_fails = {}
for _, rule in ipairs(surface.functions) do
  never_fails[rule.name] = #rule.params == 0
end

check.case("every function succeeded once", function()
  local missing = {}
  for _, name in ipairs(coverage.missing(coverage.succeeded)) do
    if not WITHIN_CALLBACK[name] then
      missing[#missing + 1] = name
    end
  end
  check.equal("", table.concat(missing, " "))
end)

check.case("every function failed once", function()
  local missing = {}
  for _, name in ipairs(coverage.missing(coverage.failed)) do
    if not never_fails[name] then
      missing[#missing + 1] = name
    end
  end
  check.equal("", table.concat(missing, " "))
end)

check.case("every function that makes a handle gives an object", function()
  for name in pairs(coverage.mistaken) do
    check.equal("handle", loader.functions[name].result, name)
  end
  for name, rule in pairs(loader.functions) do
    check.yes(rule.result ~= "handle" or coverage.made[name] or WITHIN_CALLBACK[name], name)
  end
end)
