-- The loader of this Lua: ffi for LuaJIT, the C module for PUC Lua.
if type(jit) == "table" and pcall(require, "ffi") then
  return require "flatssl.luajit"
end
return require "flatssl.core"
