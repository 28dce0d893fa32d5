-- A frame for tests: cases, and checks that end a case when they fail.

local flatssl = require "flatssl"

local check = {}

local cases = {}
local passed, failed, skipped = 0, 0, 0

-- Adds a case.
function check.case(name, run)
  cases[#cases + 1] = {name = name, run = run}
end

local function open_handles()
  collectgarbage()
  collectgarbage()
  return flatssl.handle.count(flatssl.constants.TYPE_ANY)
end

-- Runs one case, which must leave no handle behind.
local function run(case)
  local before = open_handles()
  local ok, why = pcall(case.run)
  local left = open_handles() - before
  if ok and left > 0 then
    ok, why = false, left .. " handles were left open"
  end
  return ok, why
end

-- Runs the cases whose name has a text in it, or all.
function check.run(pattern)
  for _, case in ipairs(cases) do
    if case.name:find(pattern or "", 1, true) then
      local ok, why = run(case)
      if ok then
        passed = passed + 1
      else
        failed = failed + 1
        print("FAILED: " .. case.name .. ": " .. tostring(why))
      end
    end
  end
  return failed == 0
end

function check.summary()
  print(("%d passed, %d failed, %d skipped"):format(passed, failed, skipped))
end

-- ---- checks: each returns what it was given ----

local function show(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

function check.equal(expected, actual, ...)
  if expected ~= actual then
    error(("%s expected, got %s %s"):format(show(expected), show(actual), tostring((...))), 2)
  end
  return actual, ...
end

function check.yes(value, ...)
  if not value then
    error("not so: " .. tostring((...)), 2)
  end
  return value, ...
end

function check.contains(part, text)
  if not tostring(text):find(part, 1, true) then
    error(("%s is not in %s"):format(show(part), show(text)), 2)
  end
  return text
end

-- A call succeeded.
function check.ok(value, err, ...)
  if value == nil then
    error(tostring(err), 2)
  end
  return value, err, ...
end

-- A call failed in the one way there is, with this code. Returns the error.
function check.fails(name, value, err)
  if value ~= nil then
    error(("FSSL_E_%s expected, got %s"):format(name, show(value)), 2)
  elseif type(err) ~= "table" or err.code ~= flatssl.constants["E_" .. name] then
    error(("FSSL_E_%s expected, got %s: %s"):format(
      name, type(err) == "table" and err.name or "no error", tostring(err)), 2)
  end
  return err
end

return check
