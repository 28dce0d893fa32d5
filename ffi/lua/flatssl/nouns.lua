-- A table for each noun of the ABI, made by rule: fssl_conn_send is nouns.conn.send. An object is
-- a table with its handle, and its noun's functions are its methods: conn:send(data). What all
-- objects have (close, same, type) comes from the noun `handle`.

local failure = require "flatssl.failure"
local loader = require "flatssl.loader"

local functions = loader.functions
local INTERRUPTED = -loader.constants.E_INTERRUPTED

local nouns = {}
local metatables = {}

-- ---- objects ----

local function close(object)
  functions.fssl_handle_close.call(object)
end

-- Lua 5.1 finalizes no table, so a userdata that the object holds does it there. Closing a handle
-- twice is harmless: no value is used again.
local function guard(object)
  if newproxy then
    local handle = object.handle
    object.guard = newproxy(true)
    getmetatable(object.guard).__gc = function()
      close(handle)
    end
  end
  return object
end

-- Makes the object of a new handle; the library knows its noun. One of a later library's nouns can
-- at least be closed.
local function wrap(handle)
  local type = functions.fssl_handle_type.call(handle)
  return setmetatable(guard {handle = handle}, metatables[type] or metatables[0])
end

local function metatable(noun, methods)
  return {
    __index = methods, __gc = close, __close = close,
    __eq = function(a, b)
      return a.handle == b.handle or functions.fssl_handle_same.call(a, b) == 1
    end,
    __tostring = function(object)
      return ("flatssl.%s %.0f"):format(noun, object.handle)
    end,
  }
end

-- ---- calls ----

local OUTPUTS = {[0] = {}, {"x"}, {"x", "y"}, {"x", "y", "z"}}

-- What the caller gets of a result and its outputs, as the end of a function.
local function values(rule)
  local list, result = {}, "result"
  if rule.result == "handle" then
    result = "result ~= 0 and wrap(result) or nil"
  elseif rule.result == "boolean" then
    result = "result ~= 0"
  end
  if rule.result ~= "none" then
    list[1] = result
  end
  for _, output in ipairs(OUTPUTS[rule.outputs]) do
    list[#list + 1] = output
  end
  return "return " .. table.concat(list, ", ")
end

-- What a method in C gives of a failure: of a result, or of an argument that does not fit. Without
-- either a signal ended a call, and Lua's own handler runs here.
if loader.failures then
  loader.failures[1] = function(result, name)
    if name then
      return failure.refused(name, result)
    end
    return result and failure.of(result)
  end
end

-- A function of its own for each declaration, or LuaJIT would compile what suits one of them and
-- use it for all. A call that a signal interrupted is made again from here, so that Lua's own
-- handler runs between.
local SOURCE = [[
local call, wrap, refused, of, INTERRUPTED, name = ...
local function run(%s)
  local result%s = call(%s)
  if not result then
    return nil, refused(name, %s)
  elseif result >= 0 then
    %s
  elseif result == INTERRUPTED then
    return run(%s)
  end
  return nil, of(result)
end
return run]]

local function write(name, rule)
  if rule.write then
    rule.write() -- from here on it knows its outputs
  end
  local given, outputs = rule.arguments or "...", OUTPUTS[math.max(rule.outputs, 1)]
  local source = SOURCE:format(given, ", " .. table.concat(outputs, ", "), given, outputs[1],
    values(rule), given)
  return assert((loadstring or load)(source, "=" .. name))(
    rule.call, wrap, failure.refused, failure.of, INTERRUPTED, name)
end

-- Makes the function of a declaration, which is written when it is first called.
local function method(noun, verb, name, rule)
  if rule.method then
    return rule.method -- the module in C has it
  end
  local written
  local function first(...)
    if not written then
      written = write(name, rule)
      if nouns[noun][verb] == first then
        nouns[noun][verb] = written
      end
    end
    return written(...)
  end
  return first
end

for name, rule in pairs(functions) do
  local noun, verb = name:match("^fssl_(%l[%l%d]*)_(.+)$")
  nouns[noun] = nouns[noun] or {}
  nouns[noun][verb] = method(noun, verb, name, rule)
end
for name, number in pairs(loader.constants) do
  local noun = name:match("^TYPE_(.+)$")
  if noun and nouns[noun:lower()] then
    noun = noun:lower()
    setmetatable(nouns[noun], {__index = nouns.handle})
    metatables[number] = metatable(noun, nouns[noun])
  end
end
metatables[0] = metatable("handle", nouns.handle)

-- ---- calls whose outputs count on failure, too ----

-- Sends all. Returns how many bytes, or nil, the error and how many went before it.
function nouns.conn.send_all(conn, data)
  local rest, before = data, 0
  while true do
    local result, sent = functions.fssl_conn_send_all.call(conn, rest)
    if not result then
      return nil, failure.refused("fssl_conn_send_all", sent), before
    end
    before = before + sent
    if result >= 0 then
      return before
    elseif result ~= INTERRUPTED then
      return nil, failure.of(result), before
    end
    rest = tostring(data):sub(before + 1) -- of a buffer what it holds
  end
end

-- Returns plaintext, or nil and the error; behind that in any case how much of the ciphertext was
-- taken and the ciphertext to send.
function nouns.conn.pump(conn, data, plain_cap, out_cap)
  local result, taken, plain, out = functions.fssl_conn_pump.call(conn, data, plain_cap, out_cap)
  if not result then
    return nil, failure.refused("fssl_conn_pump", taken), 0, ""
  elseif result < 0 then
    return nil, failure.of(result), taken, out
  end
  return plain, nil, taken, out
end

-- Returns how many bytes were accepted, or nil and the error; behind that in any case the
-- ciphertext to send.
function nouns.conn.seal(conn, data, out_cap)
  local result, out = functions.fssl_conn_seal.call(conn, data, out_cap)
  if not result then
    return nil, failure.refused("fssl_conn_seal", out), ""
  elseif result < 0 then
    return nil, failure.of(result), out
  end
  return result, nil, out
end

return nouns
