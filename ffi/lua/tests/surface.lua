-- What the header declares, for tests of all functions.

local declarations = require "flatssl.declarations"
local identity = require "identity"

local surface = {text = identity.read(arg[0]:gsub("[^/]*$", "") .. "../../../abi/flatssl_decl.h")}

for key, value in pairs(declarations.parse(surface.text)) do
  surface[key] = value
end

for _, rule in ipairs(surface.functions) do
  assert(declarations.complete(rule))
end

return surface
