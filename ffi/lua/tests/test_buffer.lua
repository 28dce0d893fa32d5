-- Memory of the caller's in place of strings.

local check = require "check"
local flatssl = require "flatssl"
local peer = require "peer"

local equal, fails, ok, yes = check.equal, check.fails, check.ok, check.yes

local function holds(text, buffer, ...)
  equal(#text, #buffer, ...)
  equal(text, buffer:string(), ...)
  equal(text, tostring(buffer), ...)
end

check.case("buffer: what it holds", function()
  local buffer = flatssl.buffer(8)
  for _, text in ipairs {"", "12345678", "a\0b"} do
    buffer:set(text)
    holds(text, buffer)
  end
  for _, misfit in ipairs {"123456789", {}, false} do
    yes(not pcall(buffer.set, buffer, misfit), misfit)
  end
  yes(not pcall(buffer.set, buffer))
  holds("a\0b", buffer)
end)

check.case("buffer: sizes that there are not", function()
  for _, misfit in ipairs {0, -1, 1.5, 0x80000000, 0 / 0, {}, false} do
    yes(not pcall(flatssl.buffer, misfit), misfit)
  end
  yes(not pcall(flatssl.buffer))
  yes(not pcall(flatssl.buffer(1).string, io.stdout))
end)

-- Runs a function with two ends on memory whose handshake is done, through buffers alone.
local function case(name, run)
  check.case("buffer: " .. name, function()
    local client_ctx, server_ctx = peer.contexts "ec"
    local client, server = peer.pair(client_ctx, server_ctx)
    local there, back = flatssl.buffer(32768), flatssl.buffer(32768)
    repeat
      client:pump(back, 0, there)
      local done, err, taken, given = server:pump(there, 0, back)
      yes(done or err.kind == "want", tostring(err))
      equal(#there, taken)
      equal(#back, given)
    until done
    run(client, server, there, back)
    for _, object in ipairs {client, server, client_ctx, server_ctx} do
      object:close()
    end
  end)
end

case("data both ways", function(client, server, there, back)
  local plain = flatssl.buffer(10)
  client:pump(back, plain, 0)
  local sent, err, given = client:seal("ping", there)
  equal(4, sent)
  equal(nil, err)
  equal(#there, given)
  equal(4, (server:pump(there, plain, back)))
  holds("ping", plain)
  holds("", back)
  equal(4, ok(server:send(plain)))
  yes(ok(server:bio_read(back)) == #back and #back > 4)
  equal(#back, ok(client:bio_write(back)))
  equal(2, ok(client:recv(2)) == "pi" and ok(client:recv(plain)))
  holds("ng", plain)
  equal(2, ok(client:send_all(plain)))
end)

case("nothing is left in it where there was nothing", function(client, _, _, back)
  local plain = flatssl.buffer(10)
  client:pump(back, plain, 0)
  plain:set("before")
  fails("WANT_READ", client:recv(plain))
  holds("", plain)
  plain:set("before")
  fails("WANT_READ", (client:pump("", plain, 0)), select(2, client:pump("", plain, 0)))
  holds("", plain)
end)

case("what does not fit", function(client, server, there)
  local small = flatssl.buffer(1)
  fails("BUFFER", client:cipher_name(small))
  holds("", small)
  small:set("x")
  ok(client:seal(("x"):rep(100), there))
  equal(1, (server:pump(there, small, 0)))
  equal(("x"):rep(99), ok(server:recv(100)))
  local name = flatssl.buffer(100)
  equal(#ok(client:cipher_name()), ok(client:cipher_name(name)))
  holds(client:cipher_name(), name)
  fails("ARGUMENT", client:send(io.stdout))
  fails("ARGUMENT", client:recv(io.stdout))
end)
