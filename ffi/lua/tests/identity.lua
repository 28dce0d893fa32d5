-- Certificates and keys for the tests, made by the openssl command in a directory of their own
-- that is removed in the end.

local identity = {}

local CONFIG = [[
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:*.example.test, IP:127.0.0.1, email:someone@example.test
]]

local RSA, EC = "rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256"

local function shell(command)
  local status = os.execute(command)
  if status ~= true and status ~= 0 then
    error("failed: " .. command, 2)
  end
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

function identity.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local directory = os.tmpname()
os.remove(directory)
directory = directory .. ".flatssl"

-- Returns the path of a file in the directory.
function identity.path(name)
  return directory .. "/" .. name
end

-- Writes a file into the directory. Returns its path.
function identity.write(name, text)
  write(identity.path(name), text)
  return identity.path(name)
end

local function make(name, key, extensions, issuer)
  local by = issuer and ("-CA %s.pem -CAkey %s.key"):format(issuer, issuer) or ""
  shell(("cd %s && openssl req -config config -x509 -newkey %s -nodes -days 3 "
    .. "-subj /O=flatssl/CN=%s -keyout %s.key -out %s.pem -extensions %s %s 2>>log"):format(
    directory, key, name, name, name, extensions, by))
end

function identity.make()
  shell("mkdir -m 700 " .. directory)
  write(identity.path("config"), CONFIG)
  make("ca", EC, "ca")
  make("stranger", EC, "ca")
  make("rsa", RSA, "leaf", "ca")
  make("ec", EC, "leaf", "ca")
  make("client", EC, "leaf", "ca")
  make("untrusted", EC, "leaf", "stranger")
  shell(("cd %s && openssl pkey -in ec.key -aes256 -passout pass:secret -out locked.key"):format(
    directory))
end

function identity.remove()
  shell("rm -rf " .. directory)
end

return identity
