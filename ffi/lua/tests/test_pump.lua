-- One call for a packet.

local check = require "check"
local flatssl = require "flatssl"
local peer = require "peer"

local equal, fails, ok, yes = check.equal, check.fails, check.ok, check.yes

local function case(name, run)
  check.case("pump: " .. name, function()
    local client_ctx, server_ctx = peer.contexts "ec"
    local client, server = peer.pair(client_ctx, server_ctx)
    run(client, server)
    for _, object in ipairs {client, server, client_ctx, server_ctx} do
      object:close()
    end
  end)
end

-- Passes packets between the ends until nothing moves. Returns all plaintext of each.
local function pump(a, b)
  local got = {"", ""}
  local packets = {"", ""}
  local idle = 0
  while idle < 2 do
    idle = 0
    for at, conn in ipairs {a, b} do
      local plain, err, taken, out = conn:pump(packets[at])
      yes(plain or err.kind == "want", tostring(err))
      got[at] = got[at] .. (plain or "")
      packets[at] = packets[at]:sub(taken + 1)
      packets[3 - at] = packets[3 - at] .. out
      if #out == 0 and taken == 0 and not plain then
        idle = idle + 1
      end
    end
  end
  return got[1], got[2]
end

case("handshake and data", function(client, server)
  pump(client, server)
  equal("TLSv1.3", client:protocol_version_name())
  ok(client:send("ping"))
  local _, err, taken, packet = client:pump("")
  fails("WANT_READ", nil, err)
  equal(0, taken)
  local plain, none, all = server:pump(packet)
  equal("ping", plain)
  equal(nil, none)
  equal(#packet, all)
  ok(server:send("pong"))
  equal("pong", (pump(client, server)))
end)

case("seal", function(client, server)
  local none, err, hello = client:seal("ping")
  fails("WANT_READ", none, err)
  local _, _, taken, flight = server:pump(hello)
  equal(#hello, taken)
  _, _, _, hello = client:pump(flight)
  server:pump(hello)
  local sent, nothing, packet = client:seal("ping")
  equal(4, sent)
  equal(nil, nothing)
  equal("ping", (server:pump(packet)))
  none, err, packet = client:seal({})
  fails("ARGUMENT", none, err)
  equal("", packet)
end)

case("the handshake alone", function(client, server)
  local _, err, _, hello = client:pump("", 0)
  fails("WANT_READ", nil, err)
  local plain, server_err, taken, flight = server:pump(hello, 0)
  fails("WANT_READ", plain, server_err)
  equal(#hello, taken)
  local done, _, _, finished = client:pump(flight, 0)
  equal("", done)
  equal("", (server:pump(finished, 0)))
end)

case("what is taken and given counts on failure, too", function(client, server)
  local _, _, _, hello = client:pump("")
  local wrong = hello:sub(1, 5) .. "\99" .. hello:sub(7) -- a message that there is not
  local plain, err, taken, out = server:pump(wrong)
  yes(plain == nil and err.kind == "tls", tostring(err))
  equal(#wrong, taken)
  equal("\21", out:sub(1, 1)) -- an alert
end)

case("what does not fit", function(client)
  for _, capacity in ipairs {-1, "x", 1.5} do
    local _, err, taken, out = client:pump("", capacity)
    fails("ARGUMENT", nil, err)
    equal(0, taken)
    equal("", out)
  end
  local _, err = client:pump({})
  fails("ARGUMENT", nil, err)
  local on_handle, of_handle = flatssl.conn.pump(0, "")
  fails("HANDLE", on_handle, of_handle)
end)
