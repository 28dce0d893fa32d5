-- Reads abi/flatssl_decl.h. Both loaders are made from what this returns: luajit.lua writes a Lua
-- function for each declaration, generate.lua a C function.
--
--   constants   names in the header's order, without FSSL_
--   functions   {name} in the header's order
--   skipped     {name, reason}: what takes a callback
--
-- A function that is completed has params, outputs, which is how many, and result: a "handle",
-- "boolean", "number" or "none". To do that for all would be most of the time it takes to load.
--
-- A parameter is {kind, name, slot, index, optional, length}. index is its place among the
-- arguments in Lua, if it is one: a text or bytes with its length is one argument, and so is the
-- capacity of an output buffer. A text, a capacity, a second handle and what is named `flags` may
-- be left out; true and false stand for 1 and 0 in an int32. The length of a buffer is the result,
-- or what comes out in a number named `given` behind it, whose slot is kept in `length` and which
-- is then `hidden`.

local declarations = {}

-- The rules. A pointer with "pair" takes the length or capacity after it along.
local KINDS = {
  ["fssl_handle"] = {kind = "handle", input = true},
  ["int32_t"] = {kind = "int32", input = true},
  ["int64_t"] = {kind = "int64", input = true},
  ["const char *"] = {kind = "text", input = true, pair = true},
  ["const uint8_t *"] = {kind = "text", input = true, pair = true},
  ["char *"] = {kind = "buffer", input = true, output = true, pair = true},
  ["uint8_t *"] = {kind = "buffer", input = true, output = true, pair = true},
  ["int32_t *"] = {kind = "out32", output = true},
  ["int64_t *"] = {kind = "out64", output = true},
}

local function split(list)
  local parts = {}
  for type, name in list:gsub("%s+", " "):gmatch("(%w[^,]-) ?([%w_]+)[,)]") do
    parts[#parts + 1] = {type = type, name = name}
  end
  return parts
end

-- Returns the parameter that begins at `at`, or nil.
local function parameter(parts, at)
  local rule, after = KINDS[parts[at].type], parts[at + 1]
  if not rule or rule.pair and not (after and after.type == "int64_t") then
    return nil
  end
  local param = {kind = rule.kind, name = parts[at].name, rule = rule}
  if rule.kind == "buffer" then
    param.name = after.name
    param.optional = param.name:find("cap$") ~= nil
  else
    param.optional = rule.kind == "text" or rule.kind == "handle" and at > 1
      or rule.kind == "int32" and param.name == "flags"
  end
  return param
end

-- Finds what holds the length of each buffer. Returns whether all have one.
local function lengths(params)
  local result_free = true
  for at, param in ipairs(params) do
    local after = params[at + 1]
    if param.kind == "buffer" and after and after.kind == "out64" and after.name == "given" then
      param.length, after.hidden = after.slot, true
    elseif param.kind == "buffer" and result_free then
      param.length, result_free = 0, false
    elseif param.kind == "buffer" then
      return false
    end
  end
  return true
end

-- Returns the parameters and how many values come out, or nil and why there is no rule.
local function parameters(list)
  local parts, params, index, outputs, at = split(list), {}, 0, 0, 1
  if parts[#parts] and parts[#parts].name == "err" then
    parts[#parts] = nil
  end
  while parts[at] do
    local param = parameter(parts, at)
    if not param then
      return nil, parts[at].type
    end
    if param.rule.input then
      index = index + 1
      param.index = index
    end
    outputs = outputs + (param.rule.output and 1 or 0)
    param.slot = #params + 1
    params[param.slot] = param
    at = at + (param.rule.pair and 2 or 1)
  end
  if not lengths(params) then
    return nil, "a buffer without a length"
  end
  for _, param in ipairs(params) do
    outputs = outputs - (param.hidden and 1 or 0)
  end
  return params, outputs
end

-- What a result is: the words of the comment above the declaration tell. "none" says no more than
-- the outputs do, such as a length.
local function result_kind(comment, params, outputs)
  if comment:find("[Mm]akes%s+an?%s") then
    return "handle"
  elseif comment:find("[Rr]eturns%s+1[%s,]") then
    return "boolean"
  end
  for _, param in ipairs(params) do
    if param.kind == "buffer" then
      return "none"
    end
  end
  return outputs > 0 and not comment:find("Returns") and "none" or "number"
end

local function constants(header)
  local names = {}
  for body in header:gsub("/%*.-%*/", ""):gmatch("enum%s*(%b{})") do
    for name in body:gmatch("FSSL_([%w_]+)%s*=") do
      names[#names + 1] = name
    end
  end
  return names
end

-- A section's comment may stand before the declaration's own.
local function last_comment(chunk)
  local at, after = 1, chunk:find("/*", 1, true)
  while after do
    at, after = after, chunk:find("/*", after + 2, true)
  end
  return chunk:sub(at)
end

local function takes_callback(list, callbacks)
  for type in list:gmatch("fssl_[%w_]+") do
    if callbacks[type] then
      return true
    end
  end
  return false
end

function declarations.parse(header)
  local functions, skipped, callbacks = {}, {}, {}
  -- A comment may hold semicolons; without them each one ends a declaration.
  local text = header:gsub("/%*.-%*/", function(comment)
    return (comment:gsub(";", ","))
  end)
  for name in text:gmatch("typedef[^;]-%(%*([%w_]+)%)") do
    callbacks[name] = true
  end
  for chunk in text:gmatch("([^;]*);") do
    local name, list = chunk:match("int64_t%s+(fssl_[%w_]+)%s*(%b())%s*$")
    if name and takes_callback(list, callbacks) then
      skipped[#skipped + 1] = {name = name, reason = "callback"}
    elseif name then
      functions[#functions + 1] = {name = name, list = list, chunk = chunk}
    end
  end
  return {constants = constants(header), functions = functions, skipped = skipped}
end

-- Completes a function. Returns it, or nil and why there is no rule for it.
function declarations.complete(rule)
  local params, outputs = parameters(rule.list)
  if not params then
    return nil, "no rule for " .. outputs
  end
  rule.params, rule.outputs = params, outputs
  rule.result = result_kind(last_comment(rule.chunk), params, outputs)
  return rule
end

return declarations
