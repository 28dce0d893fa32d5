-- The loader for LuaJIT: the library through ffi, without any callback. Gives what core.c gives to
-- PUC Lua, {constants, functions, skipped}; a function's call returns the result and then the
-- outputs in the header's order, or nil and a text for an argument that does not fit.

local ffi = require "ffi"
local declarations = require "flatssl.declarations"

local LIBRARY = {OSX = "libflatssl.1.dylib", Windows = "flatssl.dll"}
local SCRATCH = 65536 -- more than a record of TLS, which has 16384
local EXACT = 2 ^ 53
local E_BUFFER

-- The header lies beside this file where it was installed, else in the source tree.
local function read_header()
  local here = debug.getinfo(1, "S").source:match("^@(.*)luajit%.lua$") or ""
  for _, path in ipairs {"flatssl_decl.h", "../../../abi/flatssl_decl.h"} do
    local file = io.open(here .. path)
    if file then
      local text = file:read("*a")
      file:close()
      return text
    end
  end
  error("flatssl: there is no flatssl_decl.h at " .. here)
end

local header = read_header()
ffi.cdef(header)
local lib = ffi.load(LIBRARY[jit.os] or "libflatssl.so.1")
local declared = declarations.parse(header)

local loader = {constants = {}, functions = {}, skipped = {}}
for _, name in ipairs(declared.constants) do
  loader.constants[name] = tonumber(lib["FSSL_" .. name])
end
for _, skip in ipairs(declared.skipped) do
  loader.skipped[skip.name] = skip.reason
end
E_BUFFER = loader.constants.E_BUFFER

-- ---- what the written functions use ----

local tools = {lib = lib, tonumber = tonumber}

tools.new = ffi.typeof("uint8_t[?]")

-- Made once, for the first and the second buffer of a call: its results are copied before another
-- call begins.
local scratch, second = tools.new(SCRATCH), tools.new(SCRATCH)

function tools.buffer(room)
  return room <= SCRATCH and scratch or tools.new(room)
end

function tools.second_buffer(room)
  return room <= SCRATCH and second or tools.new(room)
end

-- What loader.buffer makes.
local memory = ffi.typeof "struct { int32_t len, size; uint8_t data[?]; }"

local memory_methods = {}

local function memory_check(value)
  if not ffi.istype(memory, value) then
    error("a flatssl.buffer expected", 3)
  end
end

function memory_methods:string()
  memory_check(self)
  return ffi.string(self.data, self.len)
end

function memory_methods:set(text)
  memory_check(self)
  if type(text) ~= "string" or #text > self.size then
    error("bad argument #2 to 'set' (text of at most the buffer's size expected)", 2)
  end
  ffi.copy(self.data, text, #text)
  self.len = #text
end

ffi.metatype(memory, {
  __index = memory_methods,
  __len = function(self) return self.len end,
  __tostring = memory_methods.string,
})

function loader.buffer(size)
  if type(size) ~= "number" or size < 1 or size > 0x7fffffff or size ~= math.floor(size) then
    error("bad argument #1 to 'buffer' (a size from 1 to 2^31 - 1 expected)", 2)
  end
  local made = memory(size)
  made.size = size
  return made
end

function tools.is_memory(value)
  return type(value) == "cdata" and ffi.istype(memory, value)
end

-- Returns what the caller gets of a buffer that was filled.
function tools.give(own, buffer, size, len)
  if own then
    own.len = len < 0 and 0 or len
    return len >= 0 and len or nil
  end
  return len >= 0 and ffi.string(buffer, len <= size and len or 0) or nil
end

tools.SCRATCH, tools.E_BUFFER = SCRATCH, E_BUFFER
tools.number32, tools.number64 = ffi.typeof("int32_t[1]"), ffi.typeof("int64_t[1]")

tools.floor, tools.rawget = math.floor, rawget

function tools.refused(value, name, wanted)
  local what = type(value) == "number" and tostring(value) or type(value)
  return nil, name .. " is to be " .. wanted .. ", not " .. what
end

-- ---- writing them ----

local WANTED = {
  handle = "a handle", text = "text", buffer = "a capacity", int32 = "a whole number of 32 bits",
  int64 = "a whole number of 64 bits",
}

-- Whether a variable is no whole number in a range. It is written out wherever it is asked: LuaJIT
-- gives a trace up that enters one function many times.
local function unfit(variable, least, most)
  return (("not (type(N) == 'number' and N >= %.0f and N <= %.0f and N == floor(N))"):gsub(
    "N", variable)):format(least, most)
end

-- The line that takes one argument, or refuses it.
local function take(param)
  local refuse = (" then return refused(aN, %q, %q) end"):format(param.name, WANTED[param.kind])
  local line
  if param.kind == "handle" then
    local default = param.optional and "elseif aN == nil then vN = 0 " or ""
    line = "local vN = aN if type(aN) == 'table' then vN = rawget(aN, 'handle') " .. default ..
      "end if " .. unfit("vN", -EXACT, EXACT) .. refuse
  elseif param.kind == "text" then
    line = "local pN, lN = aN, 0 if type(aN) == 'string' then lN = #aN " ..
      "elseif is_memory(aN) then pN, lN = aN.data, aN.len elseif aN ~= nil" .. refuse
  elseif param.kind == "buffer" then
    local default = param.optional and "aN == nil and SCRATCH or aN" or "aN"
    line = ("local sN, bN, oN = %s if is_memory(aN) then oN, sN, bN = aN, aN.size, aN.data " ..
      "elseif %s"):format(default, unfit("sN", 0, 0x7fffffff)) .. refuse:sub(1, -4) ..
      (" else bN = %s(sN) end"):format(param.length == 0 and "buffer" or "second_buffer")
  elseif param.kind == "int32" then
    line = "if type(aN) == 'boolean' then aN = aN and 1 or 0 " ..
      (param.optional and "elseif aN == nil then aN = 0 " or "") ..
      "elseif " .. unfit("aN", -0x80000000, 0x7fffffff) .. refuse
  else
    line = "if " .. unfit("aN", -EXACT, EXACT) .. refuse
  end
  return (line:gsub("([avsbplo])N", "%1" .. param.slot))
end

-- What stands for a parameter in the call.
local PASS = {handle = "vN", int32 = "aN", int64 = "aN", text = "pN, lN",
  buffer = "bN, sN", out32 = "nN", out64 = "nN"}

-- The call, or with a pass for buffers of its own the one that asks for the length alone.
local function call_line(rule, buffer)
  local list = {}
  for _, param in ipairs(rule.params) do
    local pass = param.kind == "buffer" and buffer or PASS[param.kind]
    list[#list + 1] = pass:gsub("([avsbnpl])N", "%1" .. param.slot)
  end
  list[#list + 1] = "nil"
  return ("result = tonumber(lib.%s(%s))"):format(rule.name, table.concat(list, ", "))
end

-- A buffer that was too small, with no capacity given, is made as large as it has to be.
local function grow_lines(rule, param)
  return (([[
while result == -E_BUFFER and not aN do
%s
if result >= 0 then
sN = result bN = buffer(sN)
%s
end
end]]):gsub("([asb])N", "%1" .. param.slot)):format(
    call_line(rule, "nil, 0"), call_line(rule))
end

local function outputs_line(rule)
  local list = {"result"}
  for _, param in ipairs(rule.params) do
    if param.kind == "buffer" and param.length == 0 then
      list[#list + 1] = ("give(oN, bN, sN, result)"):gsub("([osb])N", "%1" .. param.slot)
    elseif param.kind == "buffer" then
      list[#list + 1] = ("give(oN, bN, sN, tonumber(n%d[0]))"):format(param.length):gsub(
        "([osb])N", "%1" .. param.slot)
    elseif not param.index and not param.hidden then
      list[#list + 1] = ("tonumber(n%d[0])"):format(param.slot)
    end
  end
  return "return " .. table.concat(list, ", ")
end

local function tools_line()
  local names = {}
  for name in pairs(tools) do
    names[#names + 1] = ("local %s = tools.%s"):format(name, name)
  end
  return "local tools, type = ... " .. table.concat(names, " ")
end

local function source(rule)
  local lines, cells, grows = {}, {}, {}
  for _, param in ipairs(rule.params) do
    if param.index then
      lines[#lines + 1] = take(param)
    else
      cells[#cells + 1] = ("local n%d = number%s()"):format(param.slot, param.kind:sub(-2))
      lines[#lines + 1] = ("n%d[0] = 0"):format(param.slot)
    end
    if param.length == 0 and param.optional then
      grows[#grows + 1] = grow_lines(rule, param)
    end
  end
  lines[#lines + 1] = "local " .. call_line(rule)
  return ("%s %s return function(%s)\n%s\n%s\n%s\nend"):format(tools_line(),
    table.concat(cells, " "), rule.arguments, table.concat(lines, "\n"), grows[1] or "",
    outputs_line(rule))
end

local function arguments(rule)
  local names = {}
  for _, param in ipairs(rule.params) do
    if param.index then
      names[#names + 1] = "a" .. param.slot
    end
  end
  return table.concat(names, ", ")
end

-- Written at the first call, or when asked to: most programs use few of the functions.
for _, rule in ipairs(declared.functions) do
  local entry = {}
  function entry.write()
    assert(declarations.complete(rule))
    rule.arguments = arguments(rule)
    entry.outputs, entry.result, entry.arguments = rule.outputs, rule.result, rule.arguments
    entry.call = assert(loadstring(source(rule), "=" .. rule.name))(tools, type)
    entry.write = nil
  end
  function entry.call(...)
    if entry.write then
      entry.write()
    end
    return entry.call(...)
  end
  loader.functions[rule.name] = entry
end

return loader
