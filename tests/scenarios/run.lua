-- Runs the scenarios of a directory from Lua. Prints a line for each: its number and the code with
-- which the handshake of a fresh client ended.

local flatssl = require "flatssl"

local constants = flatssl.constants
local folder = arg[1]

local function client_context(number, crl)
  local ctx = flatssl.assert(flatssl.client {ca = ("%s/%s.trust"):format(folder, number)})
  if crl then
    flatssl.assert(flatssl.assert(ctx:cert_store()):set_flags(constants.STORE_CRL_CHECK))
  end
  return ctx
end

-- A server as lax as can be: what it shows is for the client to judge.
local function server_context(number)
  local ctx = flatssl.assert(flatssl.context(constants.TLS_SERVER_METHOD))
  flatssl.assert(ctx:set_security_level(0))
  flatssl.assert(ctx:use_certificate_chain_file(("%s/%s.chain"):format(folder, number)))
  flatssl.assert(ctx:use_private_key_file(("%s/%s.key"):format(folder, number),
    constants.FILETYPE_PEM))
  return ctx
end

local function carry(from, to)
  local data = from:bio_read()
  while data do
    flatssl.assert(to:bio_write(data))
    data = from:bio_read()
  end
end

local function run(number, host, crl)
  local ours = flatssl.assert(flatssl.conn.new_memory(client_context(number, crl)))
  local theirs = flatssl.assert(flatssl.conn.new_memory(server_context(number)))
  flatssl.assert(theirs:set_accept_state())
  local ok, err = ours:set_host(host)
  if not ok then
    return err
  end
  for _ = 1, 100 do
    ok, err = ours:do_handshake()
    if ok then
      return {name = "OK"}
    elseif err.kind ~= "want" then
      return err
    end
    carry(ours, theirs)
    theirs:do_handshake()
    carry(theirs, ours)
  end
  return {name = "no end"}
end

for line in io.lines(folder .. "/scenarios.tsv") do
  local number, host, crl = line:match "^(%d+)\t[^\t]*\t[^\t]*\t([^\t]*)\t(%d)$"
  local name = run(number, host, crl == "1").name
  print(number .. "\t" .. (name:find "^FSSL_" and name or "FSSL_" .. name))
end
