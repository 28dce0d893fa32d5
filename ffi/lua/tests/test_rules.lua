-- What the rules say holds for every function: of whatever kind an argument must be, another is
-- refused; a closed handle and one of another type are errors.

local check = require "check"
local flatssl = require "flatssl"
local loader = require "flatssl.loader"
local surface = require "surface"

local function public(name)
  local noun, verb = name:match("^fssl_(%l[%l%d]*)_(.+)$")
  return flatssl[noun][verb], noun
end

-- Something that fits each kind of parameter.
local FIT = {int32 = 0, int64 = 0, text = "x", buffer = 16, handle = 0}

local function fitting(rule)
  local args = {}
  for _, param in ipairs(rule.params) do
    if param.index then
      args[param.index] = FIT[param.kind]
    end
  end
  return args
end

check.case("every function is there, or is a callback", function()
  local there = 0
  for name in surface.text:gmatch("int64_t (fssl_[%w_]+)%(") do
    if not loader.skipped[name] then
      check.yes(loader.functions[name] and public(name), name)
      there = there + 1
    else
      check.equal("callback", loader.skipped[name], name)
    end
  end
  check.equal(#surface.functions, there)
end)

check.case("every constant is there", function()
  for name, value in surface.text:gmatch("FSSL_([%w_]+) = (%-?[%dxa-fA-F]+)") do
    check.equal(tonumber(value), flatssl.constants[name], name)
  end
end)

check.case("both loaders follow the same rules", function()
  for _, rule in ipairs(surface.functions) do
    local loaded = loader.functions[rule.name]
    if not jit or loaded.outputs then -- LuaJIT completes a rule at its first call
      check.equal(rule.outputs, loaded.outputs, rule.name)
      check.equal(rule.result, loaded.result, rule.name)
    end
  end
end)

local unpack = unpack or table.unpack

local function spread(rule, args)
  return unpack(args, 1, #rule.params)
end

-- Values that no parameter of a kind takes.
local MISFITS = {
  int32 = {"1", 1.5, 0x80000000, -0x80000001, 0 / 0, math.huge, {}},
  int64 = {"1", 1.5, 0 / 0, math.huge, 1e300, true, {}},
  text = {1, true, {}},
  buffer = {"16", -1, 1.5, 0x80000000, {}},
  handle = {"1", 1.5, true, {}, {handle = "x"}},
}

check.case("arguments of the wrong kind", function()
  for _, rule in ipairs(surface.functions) do
    local call = public(rule.name)
    for _, param in ipairs(rule.params) do
      for _, misfit in ipairs(param.index and MISFITS[param.kind] or {}) do
        local args = fitting(rule)
        args[param.index] = misfit
        local value, err = call(spread(rule, args))
        local line = check.fails("ARGUMENT", value, err).lines[1]
        check.contains(param.name .. " is to be", line.reason)
        check.equal(rule.name, line.func)
      end
    end
  end
end)

check.case("arguments that are missing", function()
  for _, rule in ipairs(surface.functions) do
    local first = rule.params[1]
    if first and first.index and not first.optional then
      check.contains(first.name, check.fails("ARGUMENT", public(rule.name)()))
    end
  end
end)

-- One object of each of three types, and the nouns whose functions begin with such a handle.
local function objects()
  return {
    ctx = check.ok(flatssl.context()), store = check.ok(flatssl.store.new()),
    key = check.ok(flatssl.key.generate(flatssl.constants.KEY_ED25519, 0)),
  }
end

-- Calls each function of a noun that begins with its handle.
local function each_method(noun, run)
  for _, rule in ipairs(surface.functions) do
    local call, of = public(rule.name)
    local first = rule.params[1]
    if of == noun and first and first.kind == "handle" and first.name == noun then
      run(rule, call, fitting(rule))
    end
  end
end

check.case("closed handles", function()
  local made = objects()
  local calls = 0
  check.ok(made.ctx:close())
  for noun in pairs(flatssl) do
    each_method(noun, function(rule, call, args)
      args[1] = made.ctx
      check.fails("HANDLE", call(spread(rule, args)))
      calls = calls + 1
    end)
  end
  check.yes(calls > 100, calls)
  check.fails("HANDLE", made.ctx:close())
  made.store:close()
  made.key:close()
end)

check.case("handles of another type", function()
  local made = objects()
  for noun in pairs(flatssl) do
    each_method(noun, function(rule, call, args)
      for at, param in ipairs(rule.params) do
        args[at] = param.kind == "handle" and made[noun == "ctx" and "store" or "ctx"] or args[at]
      end
      check.fails("HANDLE_TYPE", call(spread(rule, args)))
    end)
  end
  for _, object in pairs(made) do
    check.ok(object:close())
  end
end)
