-- lua run.lua [text]: runs the tests, or those cases that have the text in their name, on whatever
-- Lua this is. FLATSSL_LUA_CALLS=1 prints how often each function of the library was called.

local here = arg[0]:match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path

local coverage = require "coverage" -- before anything that loads flatssl
local check = require "check"
local identity = require "identity"

for _, name in ipairs {
  "rules", "object", "failure", "version", "ctx", "trust", "conn", "pump", "buffer", "dtls",
  "question", "socket", "openssl", "session", "cert", "key", "store", "container", "example",
  "coverage",
} do
  require("test_" .. name)
end

identity.make()
local ok, all_passed = pcall(check.run, arg[1])
identity.remove()
if not ok then
  error(all_passed, 0)
end
if os.getenv "FLATSSL_LUA_CALLS" then
  coverage.print()
end
check.summary()
os.exit(all_passed and 0 or 1)
