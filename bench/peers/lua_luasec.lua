-- A peer (see protocol.h): LuaSec, over loopback alone.

local socket = require "socket"
local ssl = require "ssl"

local FOLDER = arg[1]
local SIZES = {["64"] = 64, ["1k"] = 1024, ["16k"] = 16384, ["1m"] = 1048576}
local SMALL = 64

local function context(mode, mutual)
  local settings = {mode = mode, protocol = "tlsv1_3", verify = "none"}
  if mode == "server" or mutual then
    settings.certificate = FOLDER .. "/" .. mode .. ".pem"
    settings.key = settings.certificate
  end
  if mode == "client" or mutual then
    settings.cafile = FOLDER .. "/ca.pem"
    settings.verify = {"peer", "fail_if_no_peer_cert"}
  end
  return assert(ssl.newcontext(settings))
end

local contexts = {}
for _, mutual in ipairs {false, true} do
  contexts[mutual] = {context("client", mutual), context("server", mutual)}
end
local listener = assert(socket.bind("127.0.0.1", 0))
local _, port = listener:getsockname()

local function open(mutual)
  local near = assert(socket.connect("127.0.0.1", port))
  local ends = {near, assert(listener:accept())}
  for at, one in ipairs(ends) do
    one:setoption("tcp-nodelay", true)
    ends[at] = assert(ssl.wrap(one, contexts[mutual][at]))
    ends[at]:settimeout(0)
  end
  ends[1]:sni("localhost")
  local client, server
  while not (client and server) do
    client = client or ends[1]:dohandshake()
    server = server or ends[2]:dohandshake()
  end
  return ends
end

-- Sends a message from one end to the other.
local function carry(from, to, message)
  local sent, got, size, last = 0, 0, #message, nil
  while got < size do
    if sent < size then
      local done, _, part = from:send(message, sent + 1)
      sent = done or part or sent
    end
    local all, _, some = to:receive(size - got)
    last = all or some
    got = got + #last
  end
  return last
end

local kept

-- Returns the link that stays, its ends as agreed. LuaSec tells no group: the settings of the
-- process leave it no other.
local function link()
  if not kept then
    kept = open(false)
    for _, one in ipairs(kept) do
      assert(one:info().cipher == "TLS_AES_128_GCM_SHA256")
    end
    carry(kept[1], kept[2], "x")
    carry(kept[2], kept[1], "x")
  end
  return kept
end

local function run(what, count)
  local made, message = link(), ("m"):rep(SIZES[what:match("^bulk_(.*)")] or SMALL)
  local start = os.clock()
  for _ = 1, count do
    if what == "handshake" or what == "mutual" then
      local ends = open(what == "mutual")
      ends[1]:close()
      ends[2]:close()
    else
      carry(made[1], made[2], message)
      if what == "echo" then
        carry(made[2], made[1], message)
      end
    end
  end
  return os.clock() - start
end

for line in io.lines() do
  local what, way, count = line:match("^(.*)_(%l+) (%d+)$")
  if way == "memory" then
    print("- LuaSec has no connections in memory")
  else
    print(("%.9f"):format(run(what, tonumber(count))))
  end
  io.flush()
end
