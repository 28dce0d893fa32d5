-- Counts the calls of each function of the library, in the loader and below everything else.

local loader = require "flatssl.loader"

local coverage = {succeeded = {}, failed = {}, mistaken = {}, made = {}}

local handle_type = loader.functions.fssl_handle_type.call

-- A number that is an open handle was made without the header's comment saying so.
local function count(name, rule, result, ...)
  local into = result and result >= 0 and coverage.succeeded or coverage.failed
  into[name] = (into[name] or 0) + 1
  if rule.result == "number" and result and result > 0xffffff and name ~= "fssl_handle_next"
    and handle_type(result) > 0 then
    coverage.mistaken[name] = true
  end
  coverage.made[name] = coverage.made[name] or result and result > 0xffffff
  return result, ...
end

-- The same for a method, which gives no result where it fails.
local function count_method(name, rule, ...)
  local result = ...
  if result == nil and select("#", ...) == 2 and type((select(2, ...))) == "table" then
    count(name, rule, -1)
  else
    count(name, rule, rule.result == "number" and result or 0)
  end
  return ...
end

for name, rule in pairs(loader.functions) do
  loader.functions[name] = setmetatable({
    call = function(...)
      return count(name, rule, rule.call(...))
    end,
    method = rule.method and function(...)
      return count_method(name, rule, rule.method(...))
    end,
  }, {__index = rule})
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- Returns the names, sorted, of functions that a table has not counted.
function coverage.missing(counted)
  local names = {}
  for name in pairs(loader.functions) do
    names[name] = not counted[name] or nil
  end
  return sorted(names)
end

-- Prints how often each function succeeded and failed.
function coverage.print()
  for _, name in ipairs(sorted(loader.functions)) do
    print(("%6d %6d  %s"):format(
      coverage.succeeded[name] or 0, coverage.failed[name] or 0, name))
  end
end

return coverage
