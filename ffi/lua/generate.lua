-- lua generate.lua <flatssl_decl.h> <calls.h>: writes the C functions that core.c includes, one
-- for each declaration. Any Lua runs it. It knows C; declarations.lua knows the rules.

package.path = arg[0]:gsub("generate%.lua$", "?.lua;") .. package.path
local declarations = require "flatssl.declarations"

-- The line that declares the variable of a parameter.
local TAKE = {
  handle = "int64_t v%d = take_handle(&call, %d, %q);",
  int32 = "int32_t v%d = take_int32(&call, %d, %q);",
  int64 = "int64_t v%d = take_int64(&call, %d, %q);",
  text = "struct text v%d = take_text(&call, %d, %q);",
  buffer = "struct buffer v%d = take_buffer(&call, %d, %q, %s);",
  out32 = "int32_t v%d = 0;",
  out64 = "int64_t v%d = 0;",
}

-- What stands for it in the call.
local PASS = {
  handle = "vN", int32 = "vN", int64 = "vN", text = "vN.data, vN.len",
  buffer = "vN.data, vN.size", out32 = "&vN", out64 = "&vN",
}

-- What a method makes of a result. Of a handle there is no method in C.
local GIVE = {
  number = "GIVE_NUMBER", boolean = "GIVE_BOOLEAN", none = "GIVE_NONE", handle = "GIVE_NUMBER",
}

local function take(param)
  local line = TAKE[param.kind]
  if param.optional and (param.kind == "int32" or param.kind == "handle") then
    line = line:gsub("= ", "= lua_isnil(L, " .. param.index .. ") ? 0 : ")
  end
  if param.index then
    return line:format(param.slot, param.index, param.name, tostring(param.optional))
  end
  return line:format(param.slot)
end

-- What comes out of it, if anything does.
local function give(param)
  if param.kind == "buffer" then
    local len = param.length == 0 and "result" or "v" .. param.length
    return ("give_bytes(&call, &v%d, %s);"):format(param.slot, len)
  elseif not param.index and not param.hidden then
    return ("give_number(&call, v%d);"):format(param.slot)
  end
end

local function body(rule)
  local takes, makes, passes, gives, grows, arguments = {}, {}, {}, {}, nil, 0
  for _, param in ipairs(rule.params) do
    takes[#takes + 1] = take(param)
    passes[#passes + 1] = PASS[param.kind]:gsub("N", param.slot)
    gives[#gives + 1] = give(param)
    arguments = param.index or arguments
    if param.kind == "buffer" then
      local half = param.length == 0 and 0 or 1
      makes[#makes + 1] = ("buffer_make_scratch(&call, &v%d, %d);"):format(param.slot, half)
      grows = param.length == 0 and "v" .. param.slot or grows
    end
  end
  passes[#passes + 1] = "NULL"
  local again = "call_interrupted(&call, result)"
  if grows then
    again = again .. (" || buffer_grow(&call, &%s, result)"):format(grows)
  end
  local call = ("do\nresult = %s(%s);\nwhile (%s);"):format(rule.name, table.concat(passes, ", "),
    again)
  local lines = {("struct call call = call_begin(L, %d, %q);"):format(arguments, rule.name)}
  for _, part in ipairs {
    takes, {"int64_t result;", "int count;", "if (call.refused)\nreturn call_refused(&call);"},
    makes, {call}, {("count = give_result(&call, result, %s);"):format(GIVE[rule.result])},
    {"if (count < 0)\nreturn 2;"}, gives, {("return count + %d;"):format(rule.outputs)},
  } do
    lines[#lines + 1] = #part > 0 and table.concat(part, "\n") or nil
  end
  return table.concat(lines, "\n")
end

local function write_table(file, kind, name, entries)
  file:write(("static const struct %s %s[] = {\n"):format(kind, name))
  for _, entry in ipairs(entries) do
    file:write("{", entry, "},\n")
  end
  file:write(kind == "constant" and "{NULL, 0},\n" or "{NULL},\n", "};\n\n")
end

local function write(file, declared)
  local functions, constants, skipped = {}, {}, {}
  for _, rule in ipairs(declared.functions) do
    local known, reason = declarations.complete(rule)
    if known then
      file:write(("static int call_%s(lua_State *L)\n{\n%s\n}\n\n"):format(rule.name, body(rule)))
      functions[#functions + 1] =
        ("%q, call_%s, %d, %q"):format(rule.name, rule.name, rule.outputs, rule.result)
    else
      io.stderr:write(rule.name, ": ", reason, "\n")
      skipped[#skipped + 1] = ("%q, %q"):format(rule.name, reason)
    end
  end
  for _, name in ipairs(declared.constants) do
    constants[#constants + 1] = ("%q, FSSL_%s"):format(name, name)
  end
  for _, skip in ipairs(declared.skipped) do
    skipped[#skipped + 1] = ("%q, %q"):format(skip.name, skip.reason)
  end
  write_table(file, "function", "functions", functions)
  write_table(file, "constant", "constants", constants)
  write_table(file, "skipped", "skipped", skipped)
end

local header = assert(io.open(arg[1]))
local output = assert(io.open(arg[2], "w"))
write(output, declarations.parse(header:read("*a")))
output:close()
