-- flatssl for Lua: TLS through libflatssl, the same on LuaJIT, Lua 5.4 and Lua 5.1.
--
--   local flatssl = require "flatssl"
--   local conn, err = flatssl.connect("example.org", 443)
--   conn:send_all("GET / HTTP/1.0\r\nHost: example.org\r\n\r\n")
--   print(conn:recv())
--
-- Every function of the library is here by rule: fssl_<noun>_<verb> is flatssl.<noun>.<verb>, and
-- a method of that noun's objects. Lists count from 0, as the library's do. Each call fails in one
-- way, nil and an error object (failure.lua); FSSL_ constants are in flatssl.constants.
--
-- Close what you need no more, by close or as a <close> variable of Lua 5.4. The garbage collector
-- closes the rest, but it does not know how much memory and how many sockets that holds.

local loader = require "flatssl.loader"
local nouns = require "flatssl.nouns"
local options = require "flatssl.options"

local constants = loader.constants

local flatssl = {constants = constants, skipped = loader.skipped}
for noun, functions in pairs(nouns) do
  flatssl[noun] = functions
end

-- Makes memory for so many bytes. It stands for a text, which is then what it holds, and for a
-- capacity: it is filled, and in place of a string there is how many bytes. So what comes and goes
-- again and again, as ciphertext does, needs no string. #buffer is how many bytes it holds,
-- buffer:string() their string, buffer:set(text) fills it; with LuaJIT buffer.data is a pointer.
flatssl.buffer = loader.buffer

-- ---- contexts and connections in one line ----

-- Makes a context with the library's safe defaults for a client; options.lua lists the options.
function flatssl.client(given)
  return options.context("client", given)
end

-- The same for a server.
function flatssl.server(given)
  return options.context("server", given)
end

-- Makes a context as OpenSSL has it, which verifies nothing; newcomers take client or server.
function flatssl.context(method)
  return nouns.ctx.new(method or constants.TLS_METHOD)
end

-- Calls a method on what is being made. Returns it, or closes it and returns nil and the error.
local function step(made, err, verb, ...)
  if not made then
    return nil, err
  end
  local ok
  ok, err = made[verb](made, ...)
  if not ok then
    made:close()
    return nil, err
  end
  return made
end

-- Connects by TCP and makes the handshake; the peer is verified.
function flatssl.connect(host, port, given)
  local made, err = options.connection("client", given)
  if made and given and given.host then
    made, err = step(made, err, "set_host", given.host)
  end
  made, err = step(made, err, "connect", host, port)
  return step(made, err, "do_handshake")
end

-- Listens on an address and port, 0 for a free one: accept gives connections whose handshake
-- comes with their first do_handshake, send_all or recv.
function flatssl.listen(host, port, given)
  local made, err = options.connection("server", given)
  made, err = step(made, err, "bind", host, port)
  return step(made, err, "listen", 128)
end

-- As assert, for every Lua: that of Lua 5.1 takes no error objects.
function flatssl.assert(value, err, ...)
  if value == nil then
    error(tostring(err), 2)
  end
  return value, err, ...
end

return flatssl
