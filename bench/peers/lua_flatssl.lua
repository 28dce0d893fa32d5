-- A peer (see protocol.h): flatssl from LuaJIT or Lua 5.4. TCP is the library's own, since Lua has
-- none.

local flatssl = require "flatssl"

local FOLDER = arg[1]
local SIZES = {["64"] = 64, ["1k"] = 1024, ["16k"] = 16384, ["1m"] = 1048576}
local PACKET, RECORD, SMALL = 32768, 16384, 64
local must, constants = flatssl.assert, flatssl.constants

local function context(role, mutual)
  local options = {}
  if role == "client" or mutual then
    options.ca = FOLDER .. "/ca.pem"
  end
  if role == "server" or mutual then
    options.certificate = FOLDER .. "/" .. role .. ".pem"
    options.key = options.certificate
  end
  local made = must(flatssl[role](options))
  must(made:set_min_proto_version(constants.TLS1_3_VERSION))
  must(made:set_ciphersuites("TLS_AES_128_GCM_SHA256"))
  must(made:set_groups("X25519:P-256"))
  if role == "client" then
    must(made:set_resumption(0))
  end
  return made
end

local contexts = {}
for _, mutual in ipairs {false, true} do
  contexts[mutual] = {context("client", mutual), context("server", mutual)}
end

-- ---- in memory ----

-- Ciphertext on its way to the server and back, and plaintext that came.
local there, back, plain = flatssl.buffer(PACKET), flatssl.buffer(PACKET), flatssl.buffer(RECORD)

local memory = {}
memory.__index = memory

function memory.open(mutual)
  local link = setmetatable({}, memory)
  link.client = must(flatssl.conn.new_memory(contexts[mutual][1]))
  link.server = must(flatssl.conn.new_memory(contexts[mutual][2]))
  link.client:set_host("localhost")
  local client, server, client_done, server_done = link.client, link.server
  back:set ""
  repeat
    if not client_done then
      client_done = client:pump(back, 0, there)
    end
    server_done = server:pump(there, 0, back)
  until server_done
  return link
end

function memory:settle()
  self.client:bio_write(back)
end

-- A piece that is one record comes out at once.
local function forth_piece(client, server, piece)
  local sent = must(client:seal(piece, there))
  assert(must(server:pump(there, plain, 0)) == sent)
end

function memory:forth(message)
  if #message <= RECORD then
    return forth_piece(self.client, self.server, message)
  end
  for at = 1, #message, RECORD do
    forth_piece(self.client, self.server, message:sub(at, at + RECORD - 1))
  end
end

function memory:back(message)
  must(self.server:seal(message, back))
  return must(self.client:pump(back, plain, 0))
end

-- ---- over loopback ----

local loopback = {}
loopback.__index = loopback
local listeners = {}

function loopback.open(mutual)
  local link = setmetatable({}, loopback)
  local listener = listeners[mutual]
  if not listener then
    listener = must(flatssl.conn.new(contexts[mutual][2], constants.NO_FD))
    must(listener:bind("127.0.0.1", 0))
    must(listener:listen(16))
    listeners[mutual] = listener
  end
  local _, port = listener:getsockname()
  link.client = must(flatssl.conn.new(contexts[mutual][1], constants.NO_FD))
  link.client:set_host("localhost")
  must(link.client:connect("127.0.0.1", port))
  link.server = must(listener:accept())
  for _, conn in ipairs {link.client, link.server} do
    must(conn:set_timeout(0))
  end
  local client, server
  while not (client and server) do
    client = client or link.client:do_handshake()
    server = server or link.server:do_handshake()
  end
  return link
end

function loopback:settle() end

-- Sends a message from one end to the other.
local function carry(from, to, message)
  local sent, got, size = 0, 0, #message
  while got < size do
    if sent < size then
      sent = sent + (from:send(sent == 0 and message or message:sub(sent + 1)) or 0)
    else
      from:flush()
    end
    repeat
      local part = to:recv(plain)
      got = got + (part or 0)
    until not part or got >= sent
  end
end

function loopback:forth(message)
  carry(self.client, self.server, message)
end

function loopback:back(message)
  carry(self.server, self.client, message)
end

-- ---- what the runner asks for ----

local ways, kept = {memory = memory, loopback = loopback}, {}

-- Returns the link that stays, its ends as agreed.
local function link(way)
  if not kept[way] then
    local made = ways[way].open(false)
    made:settle()
    for _, conn in ipairs {made.client, made.server} do
      assert(conn:cipher_name() == "TLS_AES_128_GCM_SHA256" and conn:group_name() == "x25519")
    end
    made:forth("x")
    made:back("x")
    kept[way] = made
  end
  return kept[way]
end

local function run(what, way, count)
  local made, message = link(way), ("m"):rep(SIZES[what:match("^bulk_(.*)")] or SMALL)
  local start = os.clock()
  for _ = 1, count do
    if what == "handshake" or what == "mutual" then
      local one = ways[way].open(what == "mutual")
      one.client:close()
      one.server:close()
    else
      made:forth(message)
      if what == "echo" then
        made:back(message)
      end
    end
  end
  return os.clock() - start
end

for line in io.lines() do
  local what, way, count = line:match("^(.*)_(%l+) (%d+)$")
  if ways[way] and (SIZES[what:match("^bulk_(.*)")] or ("handshake mutual echo"):find(what)) then
    print(("%.9f"):format(run(what, way, tonumber(count))))
  else
    print("- no such subject")
  end
  io.flush()
end
