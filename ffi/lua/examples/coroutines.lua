-- lua coroutines.lua port clients friends.pem keylog.txt name=prefix...: a web server in which each
-- connection is a coroutine, and every decision is taken by it and not by a callback.
--
-- The certificate is chosen by the name that the client asks for: prefix.pem and prefix.key are
-- read when it first does. The protocol is the first of the client's that is spoken here. A client
-- is taken if its certificate is one of friends.pem, whoever has issued it. Keys go to keylog.txt.
local flatssl = require "flatssl"

local constants, must = flatssl.constants, flatssl.assert
local port, clients = tonumber(arg[1]), tonumber(arg[2])
local prefixes, spoken = {}, {["http/1.1"] = true, ["http/1.0"] = true}
for at = 5, #arg do
  local name, prefix = arg[at]:match("^([^=]+)=(.+)$")
  prefixes[name] = prefix
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local friends = {}
for pem in read(arg[3]):gmatch("%-+BEGIN CERTIFICATE%-+.-%-+END CERTIFICATE%-+") do
  local cert = must(flatssl.cert.from_pem(pem))
  friends[cert:to_der()] = true
  cert:close()
end

-- ---- decisions ----

local contexts = {}

local function context_of(name)
  local prefix = prefixes[name]
  if prefix and not contexts[name] then
    coroutine.yield() -- where a program would ask a store of secrets, and others go on
    local context = must(flatssl.server {certificate = prefix .. ".pem", key = prefix .. ".key"})
    must(context:set_verify(constants.VERIFY_PEER))
    must(context:set_queue(constants.QUEUE_KEYLOG, 1000))
    contexts[name] = context
  end
  return contexts[name]
end

-- Returns the first of the client's protocols that is spoken here, in the form of ALPN.
local function choose(offered)
  local at = 1
  while at <= #offered do
    local name = offered:sub(at + 1, at + offered:byte(at))
    if spoken[name] then
      return string.char(#name) .. name
    end
    at = at + 1 + #name
  end
end

local answers = {}

answers[constants.E_WANT_CLIENT_HELLO] = function(conn)
  local context = context_of(conn:server_name():lower())
  if not context then
    return conn:answer_hello(112) -- unrecognized_name
  end
  must(conn:set_context(context))
  local offered = conn:hello_bytes(constants.HELLO_ALPN)
  local protocol = choose(offered)
  if #offered > 0 and not protocol then
    return conn:answer_hello(120) -- no_application_protocol
  end
  must(conn:set_alpn_preference(protocol or ""))
  return conn:answer_hello(0)
end

answers[constants.E_WANT_VERIFY] = function(conn)
  local cert = conn:peer_certificate()
  local known = cert and friends[cert:to_der()]
  if cert then
    cert:close()
  end
  if known then
    must(conn:waive_verify_error(-1))
  end
  return conn:answer_verify(known and 0 or 50) -- X509_V_ERR_APPLICATION_VERIFICATION
end

-- ---- a connection, in its coroutine ----

-- Calls a method until it has a result or fails, and answers what it asks. Others run meanwhile.
local function complete(conn, verb, ...)
  local value, err = conn[verb](conn, ...)
  while value == nil and err.kind == "want" do
    local answer = answers[err.code]
    if answer then
      must(answer(conn))
    else
      coroutine.yield()
    end
    value, err = conn[verb](conn, ...)
  end
  return value, err
end

local function answer_request(conn)
  local done, err = complete(conn, "do_handshake")
  local request = ""
  while done and not request:find("\r\n\r\n", 1, true) and #request < 65536 do
    done, err = complete(conn, "recv")
    request = request .. (done or "")
  end
  if not done then
    return err
  end
  local body = ("hello from %s by %s\n"):format(conn:server_name(), conn:alpn_proto())
  local response = ("HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
  while done and #response > 0 do
    done, err = complete(conn, "send", response)
    response = response:sub((done or 0) + 1)
  end
  complete(conn, "shutdown")
  return err or "served"
end

-- ---- all of them ----

local listener = must(flatssl.listen("127.0.0.1", port, {context = must(flatssl.server())}))
print("listening on", (select(2, listener:getsockname())))
io.stdout:flush()

local tasks, finished = {}, 0

local function welcome(conn)
  must(conn:set_timeout(0))
  must(conn:ask(constants.ASK_CLIENT_HELLO + constants.ASK_VERIFY))
  tasks[conn] = {run = coroutine.create(answer_request), until_time = os.time() + 30}
end

local function log_keys()
  local file = assert(io.open(arg[4], "a"))
  for _, context in pairs(contexts) do
    local line = context:next_keylog()
    while line ~= "" do
      file:write(line, "\n")
      line = context:next_keylog()
    end
  end
  file:close()
end

local function advance(conn, task)
  local ok, outcome = coroutine.resume(task.run, conn)
  if coroutine.status(task.run) ~= "dead" and os.time() < task.until_time then
    return
  end
  tasks[conn] = nil
  finished = finished + 1
  log_keys()
  conn:close()
  print(ok and tostring(outcome or "too slow"):match("[^\n]+") or outcome)
  io.stdout:flush()
end

-- Plain Lua cannot wait for many sockets at once, so this looks at each every few milliseconds. A
-- program with an event loop waits for conn:fileno() to become what conn:want() says.
while finished < clients do
  must(listener:set_timeout(next(tasks) and 5 or -1))
  local conn = listener:accept()
  if conn then
    welcome(conn)
  end
  local running = {}
  for some, task in pairs(tasks) do
    running[some] = task
  end
  for some, task in pairs(running) do
    advance(some, task)
  end
end
listener:close()
