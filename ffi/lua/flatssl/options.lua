-- What flatssl.client, server, connect and listen take beside the obvious, as a table:
--
--   ca            PEM file of what is trusted, in place of the system's trust; a server that has
--                 one demands certificates of its clients
--   certificate   PEM file of the own certificate and its issuers
--   key           PEM file of its private key, with its passphrase in `passphrase`
--   alpn          list of protocols in order of preference, such as {"h2", "http/1.1"}
--
-- and for connect and listen also
--
--   context       a context to use in place of a new one, with none of the above
--   timeout       how long each call may wait, in milliseconds
--   host          whom the certificate must name, if that is not the host connected to

local failure = require "flatssl.failure"
local loader = require "flatssl.loader"
local nouns = require "flatssl.nouns"

local constants = loader.constants

local options = {}

local function trust(context, path, role)
  local store, err = nouns.store.new()
  if not store then
    return nil, err
  end
  local ok
  ok, err = context:set_cert_store(store)
  store:close()
  if ok then
    ok, err = context:load_verify_locations(path)
  end
  if ok and role == "server" then
    ok, err = context:set_verify(
      constants.VERIFY_PEER + constants.VERIFY_FAIL_IF_NO_PEER_CERT)
  end
  return ok, err
end

local function offer(context, list, role)
  local parts = {}
  for at, protocol in ipairs(type(list) == "table" and list or {list}) do
    if type(protocol) ~= "string" or #protocol == 0 or #protocol > 255 then
      return nil, failure.refused("alpn", "a protocol is text of 1 to 255 bytes")
    end
    parts[at] = string.char(#protocol) .. protocol
  end
  local set = role == "server" and context.set_alpn_preference or context.set_alpn_protos
  return set(context, table.concat(parts))
end

-- A key of another kind than the certificate's would stand beside it, unused.
local function use_key(context, path)
  local ok, err = context:use_private_key_file(path, constants.FILETYPE_PEM)
  if ok then
    ok, err = context:check_private_key()
  end
  return ok, err
end

-- In the order in which they are to be applied.
local APPLIED = {
  {"ca", trust},
  {"passphrase", nouns.ctx.set_passphrase},
  {"certificate", nouns.ctx.use_certificate_chain_file},
  {"key", use_key},
  {"alpn", offer},
}

local KNOWN = {context = "endpoint", timeout = "endpoint", host = "endpoint"}
for _, option in ipairs(APPLIED) do
  KNOWN[option[1]] = "context"
end

-- A misspelt option must not pass: it might be the one that makes things safe.
local function check(given, of_endpoint)
  if type(given) ~= "table" then
    return failure.refused("options", "options are to be a table, not " .. type(given))
  end
  for name in pairs(given) do
    if not KNOWN[name] or KNOWN[name] == "endpoint" and not of_endpoint then
      return failure.refused("options", "there is no option " .. tostring(name))
    elseif given.context and KNOWN[name] == "context" then
      return failure.refused("options", name .. " belongs to the context that was given")
    end
  end
end

-- Makes a context of a role, "client" or "server".
function options.context(role, given, of_endpoint)
  given = given == nil and {} or given
  local bad = check(given, of_endpoint)
  if bad then
    return nil, bad
  end
  local context, err = nouns.ctx["new_" .. role]()
  for _, option in ipairs(context and APPLIED or {}) do
    local name, apply = option[1], option[2]
    if given[name] ~= nil then
      local ok
      ok, err = apply(context, given[name], role)
      if not ok then
        context:close()
        return nil, err
      end
    end
  end
  return context, err
end

-- Makes a connection without a socket yet, in the context that was given or in a new one.
function options.connection(role, given)
  given = given == nil and {} or given
  local err = check(given, true)
  if err then
    return nil, err
  end
  local context = given.context
  if not context then
    context, err = options.context(role, given, true)
  end
  if not context then
    return nil, err
  end
  local made
  made, err = nouns.conn.new(context, constants.NO_FD)
  if context ~= given.context then
    context:close() -- the connection holds it
  end
  if made and given.timeout then
    local ok
    ok, err = made:set_timeout(given.timeout)
    if not ok then
      made:close()
      return nil, err
    end
  end
  return made, err
end

return options
