-- lua shared_sessions.lua certificate key policy [redis-port]: a server whose clients may come back
-- to any other like it, of this language or of shared_sessions.py: see there. Redis is spoken to
-- through LuaSocket; without Redis nothing but flatssl is needed.
local flatssl = require "flatssl"

local constants, must = flatssl.constants, flatssl.assert
local certificate, key, policy, redis_port = arg[1], arg[2], arg[3], arg[4]
local SECONDS = "300"

-- ---- Redis ----

local redis

-- Reads one reply: text, a list of replies, or false for what is not there.
local function reply()
  local line = assert(redis:receive "*l")
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == "$" and rest ~= "-1" then
    local text = assert(redis:receive(tonumber(rest)))
    assert(redis:receive(2))
    return text
  elseif kind == "*" then
    local list = {}
    for at = 1, tonumber(rest) do
      list[at] = reply()
    end
    return list
  elseif kind == "-" then
    error("Redis: " .. rest)
  end
  return kind ~= "$" and rest
end

local function command(...)
  local parts = {("*%d\r\n"):format(select("#", ...))}
  for _, part in ipairs {...} do
    parts[#parts + 1] = ("$%d\r\n%s\r\n"):format(#part, part)
  end
  assert(redis:send(table.concat(parts)))
  return reply()
end

if redis_port then
  redis = assert(require "socket".connect("127.0.0.1", tonumber(redis_port)))
end

-- ---- TLS ----

local context = must(flatssl.server {certificate = certificate, key = key})
must(context:set_session_id_context(policy))
local known_keys

-- Returns a new ticket key: bytes that nobody else knows.
local function random_key()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(80)
  file:close()
  return bytes
end

-- Gives a connection the newest ticket keys, and the session that its client asks for.
local function prepare(conn)
  command("SET", "ticket_keys", random_key(), "NX")
  local found = command("MGET", "ticket_keys",
    "session:" .. must(conn:hello_bytes(constants.HELLO_SESSION_ID)))
  if found[1] ~= known_keys then
    must(context:set_ticket_keys(found[1]))
    known_keys = found[1]
  end
  must(conn:set_context(context))
  if found[2] then
    local session = must(flatssl.session.from_bytes(context, found[2]))
    must(conn:set_session(session))
    session:close()
  end
  must(conn:answer_hello(0))
end

-- Keeps a new session of TLS 1.2 whose client takes no tickets; a ticket needs nothing.
local function keep(conn)
  if conn:session_reused() or conn:protocol_version() ~= constants.TLS1_2_VERSION then
    return
  end
  local session = must(conn:session())
  if session:id() ~= "" then
    command("SET", "session:" .. session:id(), session:to_bytes(), "EX", SECONDS)
  end
  session:close()
end

local function handshake(conn)
  must(conn:set_timeout(10000))
  if redis then
    must(conn:ask(constants.ASK_CLIENT_HELLO))
  end
  local done, err = conn:do_handshake()
  if not done and err.code == constants.E_WANT_CLIENT_HELLO then
    prepare(conn)
    done, err = conn:do_handshake()
  end
  if done and redis then
    keep(conn)
  end
  return done, err
end

-- Returns nil and the error where a client is lost.
local function serve(conn)
  local done, err = handshake(conn)
  if done then
    done, err = conn:recv()
  end
  if done then
    local how = conn:session_reused() and "resumed" or "full"
    done, err = conn:send_all(("%s %s\n"):format(conn:protocol_version_name(), how))
  end
  conn:shutdown()
  conn:close()
  return done, err
end

local listener = must(flatssl.listen("127.0.0.1", 0, {context = context}))
print("listening on", (select(2, listener:getsockname())))
io.stdout:flush()
while true do
  local served, err = serve(must(listener:accept()))
  if not served then
    io.stderr:write(tostring(err):match("[^\n]+"), "\n")
  end
end
