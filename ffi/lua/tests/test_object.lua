-- Objects: equality, closing, what the garbage collector does.

local check = require "check"
local flatssl = require "flatssl"
local peer = require "peer"

local constants = flatssl.constants

check.case("objects have the methods of their noun and of handles", function()
  local ctx = check.ok(flatssl.context())
  check.equal(constants.TYPE_CTX, ctx:type())
  check.equal(flatssl.ctx.set_timeout, ctx.set_timeout)
  check.contains("flatssl.ctx ", tostring(ctx))
  check.equal(nil, ctx.no_such_method)
  ctx:close()
end)

check.case("a key's own type goes before that of handles", function()
  local key = check.ok(flatssl.key.generate(constants.KEY_ED25519, 0))
  check.equal(constants.KEY_ED25519, key:type())
  check.equal(constants.TYPE_KEY, flatssl.handle.type(key))
  key:close()
end)

check.case("equality is that of the library", function()
  local ctx, other = check.ok(flatssl.context()), check.ok(flatssl.context())
  local conn = check.ok(flatssl.conn.new_memory(ctx))
  local again = check.ok(conn:context())
  check.yes(again.handle ~= ctx.handle)
  check.yes(again == ctx)
  check.yes(ctx ~= other)
  check.equal(true, ctx:same(again))
  check.equal(false, ctx:same(other))
  for _, object in ipairs {ctx, other, conn, again} do
    check.ok(object:close())
  end
  check.equal(false, ctx == again)
end)

check.case("the garbage collector closes handles", function()
  local before = check.ok(flatssl.handle.count(constants.TYPE_CTX))
  for _ = 1, 100 do
    check.ok(flatssl.context())
  end
  collectgarbage()
  collectgarbage()
  check.equal(before, flatssl.handle.count(constants.TYPE_CTX))
end)

check.case("an object that is held is not closed", function()
  local ctx = check.ok(flatssl.context())
  local conn = check.ok(flatssl.conn.new_memory(ctx))
  ctx = nil
  collectgarbage()
  collectgarbage()
  check.ok(conn:context()):close()
  check.equal(0, check.ok(conn:close()))
end)

check.case("LuaSec-75 LuaSec-130 tickets after their context", function()
  local client_ctx, server_ctx = peer.contexts "rsa"
  check.ok(client_ctx:set_queue(constants.QUEUE_SESSION, 8))
  peer.pin("TLS1_3", client_ctx, server_ctx)
  local client, server = peer.pair(client_ctx, server_ctx)
  client_ctx, server_ctx = nil, nil
  collectgarbage()
  collectgarbage()
  check.equal(nil, (peer.handshake(client, server)))
  peer.receive_tickets(client, server)
  local session = check.ok(client:session())
  client:close()
  server:close()
  collectgarbage()
  check.equal(true, session:resumable())
  session:close()
end)

check.case("handles can be listed", function()
  local ctx = check.ok(flatssl.context())
  local found, at = false, check.ok(flatssl.handle.next(constants.TYPE_CTX, 0))
  while at ~= 0 do
    found = found or at == ctx.handle
    at = check.ok(flatssl.handle.next(constants.TYPE_CTX, at))
  end
  check.yes(found)
  check.equal(constants.TYPE_CTX, flatssl.handle.type(ctx.handle))
  check.fails("ARGUMENT", flatssl.handle.next(999, 0))
  check.fails("ARGUMENT", flatssl.handle.count(-1))
  ctx:close()
end)

-- Only Lua 5.4 has the syntax, so it is compiled here.
check.case("to be closed", function()
  local chunk = (loadstring or load) [[
    local flatssl = require "flatssl"
    local ctx <close> = flatssl.context()
    return ctx.handle
  ]]
  local metatable = getmetatable(check.ok(flatssl.context()))
  if chunk then
    check.fails("HANDLE", flatssl.handle.type(chunk()))
  end
  local ctx = check.ok(flatssl.context())
  metatable.__close(ctx)
  check.fails("HANDLE", ctx:type())
end)
