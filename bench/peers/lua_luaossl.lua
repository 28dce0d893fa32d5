-- A peer (see protocol.h): luaossl, on the sockets of cqueues and over loopback alone.

local certificate = require "openssl.x509"
local pkey = require "openssl.pkey"
local context = require "openssl.ssl.context"
local socket = require "cqueues.socket"
local store = require "openssl.x509.store"

local FOLDER = arg[1]
local SIZES = {["64"] = 64, ["1k"] = 1024, ["16k"] = 16384, ["1m"] = 1048576}
local SMALL = 64

local function file(name)
  local open = assert(io.open(FOLDER .. "/" .. name))
  local text = open:read("a")
  open:close()
  return text
end

local function context_new(role, mutual)
  local made = context.new("TLS", role == "server")
  made:setOptions(context.OP_NO_TLSv1 | context.OP_NO_TLSv1_1 | context.OP_NO_TLSv1_2)
  if role == "server" or mutual then
    local pem = file(role .. ".pem")
    made:setCertificate(certificate.new(pem))
    made:setPrivateKey(pkey.new(pem))
  end
  if role == "client" or mutual then
    local trusted = store.new()
    trusted:add(certificate.new(file("ca.pem")))
    made:setStore(trusted)
    made:setVerify(context.VERIFY_PEER | context.VERIFY_FAIL_IF_NO_PEER_CERT)
  else
    made:setVerify(context.VERIFY_NONE)
  end
  return made
end

local contexts = {}
for _, mutual in ipairs {false, true} do
  contexts[mutual] = {context_new("client", mutual), context_new("server", mutual)}
end
local listener = assert(socket.listen("127.0.0.1", 0))
assert(listener:listen())
local _, _, port = listener:localname()

local function open(mutual)
  local near = assert(socket.connect {host = "127.0.0.1", port = port, nodelay = true})
  assert(near:connect())
  local ends = {near, assert(listener:accept {nodelay = true})}
  local done = {}
  for _, one in ipairs(ends) do
    one:setmode("bn", "bn")
  end
  while not (done[1] and done[2]) do
    for at, one in ipairs(ends) do
      done[at] = done[at] or one:starttls(contexts[mutual][at], 0)
    end
  end
  return ends
end

-- Sends a message from one end to the other.
local function carry(from, to, message)
  local sent, got, size = 0, 0, #message
  while got < size do
    if sent < size then
      sent = sent + (from:send(message, sent + 1, size) or 0)
    end
    local data = to:recv(got - size)
    got = got + (data and #data or 0)
  end
end

local kept

-- Returns the link that stays, its ends as agreed. luaossl tells no group: the settings of the
-- process leave it no other.
local function link()
  if not kept then
    kept = open(false)
    for _, one in ipairs(kept) do
      assert(one:checktls():getCipherInfo().name == "TLS_AES_128_GCM_SHA256")
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
    print("- luaossl has no connections in memory")
  else
    print(("%.9f"):format(run(what, tonumber(count))))
  end
  io.flush()
end
