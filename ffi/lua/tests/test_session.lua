-- Sessions: what they tell, and resuming them.

local check = require "check"
local flatssl = require "flatssl"
local peer = require "peer"

local equal, fails, ok, yes = check.equal, check.fails, check.ok, check.yes

local function each(name, run)
  for _, version in ipairs {"TLS1_2", "TLS1_3"} do
    check.case(version .. ": " .. name, function()
      local client_ctx, server_ctx = peer.contexts "ec"
      peer.pin(version, client_ctx, server_ctx)
      local client, server = peer.connected(client_ctx, server_ctx)
      local session = ok(client:session())
      run(session, client_ctx, server_ctx)
      for _, object in ipairs {session, client, server, client_ctx, server_ctx} do
        object:close()
      end
    end)
  end
end

each("what sessions tell", function(session)
  yes(session:resumable())
  yes(math.abs(session:time() - os.time()) <= 5)
  equal(session:timeout(), session:timeout())
  yes(session:timeout() > 0)
  yes(#session:to_bytes() > 50)
  yes(#session:id() <= 32)
end)

each("resumption", function(session, client_ctx, server_ctx)
  local stored = ok(flatssl.session.from_bytes(client_ctx, session:to_bytes()))
  for _, offered in ipairs {session, stored} do
    local client, server = peer.pair(client_ctx, server_ctx)
    ok(client:set_session(offered))
    equal(nil, (peer.handshake(client, server)))
    equal(true, client:session_reused())
    equal(true, server:session_reused())
    client:close()
    server:close()
  end
  stored:close()
end)

each("sessions that are not taken", function(session, client_ctx)
  local other_ctx = ok(flatssl.client())
  local conn = ok(flatssl.conn.new_memory(other_ctx))
  fails("ARGUMENT", conn:set_session(session))
  fails("HANDLE_TYPE", conn:set_session(other_ctx))
  fails("PARSE", flatssl.session.from_bytes(client_ctx, "nothing"))
  fails("HANDLE_TYPE", flatssl.session.from_bytes(session, "nothing"))
  equal(nil, conn:session())
  conn:close()
  other_ctx:close()
end)
