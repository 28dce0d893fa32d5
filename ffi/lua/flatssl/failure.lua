-- The error object: what every failed call gives after nil.
--
--   code, name    FSSL_E_ number and name
--   kind          "want", "closed", "system", "tls", "certificate", "usage" or "internal"
--   lines         {library, func, reason, data, source_file, source_line, openssl_code} each
--   errno, alert, verify_code    where there is one
--   tostring(e)   the whole for a person

local loader = require "flatssl.loader"

local constants, functions = loader.constants, loader.functions

local NUMBERS = {errno = "ERRNO", alert = "ALERT", verify_code = "VERIFY_CODE"}
local LINE_NUMBERS = {openssl_code = "OPENSSL_CODE", source_line = "SOURCE_LINE"}
local LINE_TEXTS = {
  library = "LIBRARY", func = "FUNCTION", reason = "REASON", data = "DATA",
  source_file = "SOURCE_FILE",
}

local failure = {}

local error_object = {}

function error_object.__tostring(self)
  return self.text
end

local function ask(verb, ...)
  local result, value = functions["fssl_error_" .. verb].call(...)
  if result < 0 then
    return nil
  end
  return value == nil and result or value
end

local kinds = {}
for name, value in pairs(constants) do
  local kind = name:match("^KIND_(.*)")
  if kind then
    kinds[value] = kind:lower()
  end
end

local function number(result, field, line)
  local value = ask("int", result, constants["ERROR_" .. field], line)
  return value ~= -1 and value or nil
end

local function read_line(result, at)
  local line = {}
  for key, field in pairs(LINE_TEXTS) do
    line[key] = ask("str", result, constants["ERROR_" .. field], at)
  end
  for key, field in pairs(LINE_NUMBERS) do
    line[key] = number(result, field, at)
  end
  return line
end

local function make(code, text, lines)
  local kind = ask("kind", code)
  return setmetatable({
    code = code, name = ask("name", code), kind = kinds[kind] or kind, text = text, lines = lines,
  }, error_object)
end

-- A code without a record has one object for good: wants are frequent.
local plain = {}

-- Makes the error object of a negative result. The record is read at once, since later failures
-- overwrite it.
function failure.of(result)
  if plain[result] then
    return plain[result]
  end
  local lines = {}
  for at = 0, (ask("count", result) or 0) - 1 do
    lines[at + 1] = read_line(result, at)
  end
  local made = make(ask("code", result), ask("text", result), lines)
  if -result == made.code then
    plain[result] = made
    return made
  end
  for key, field in pairs(NUMBERS) do
    made[key] = number(result, field, 0)
  end
  return made
end

-- Makes the error object for what this binding itself refuses.
function failure.refused(func, reason)
  local code = constants.E_ARGUMENT
  return make(code, ("%s\n  flatssl: %s: %s"):format(ask("text", -code), func, reason),
    {{library = "flatssl", func = func, reason = reason, data = ""}})
end

return failure
