-- A script for LuaJIT made against FLATSSL_1.0, as it was then. See consumer.c for what it does.
-- It loads the library by LuaJIT's ffi from the declarations of FLATSSL_HEADER, without the
-- binding.

local ffi = require "ffi"

local PATIENCE = 20000

local header = assert(io.open(os.getenv "FLATSSL_HEADER"))
ffi.cdef(header:read "*a")
header:close()
local lib = ffi.load "libflatssl.so.1"

local function text_of(write, subject)
  local buffer = ffi.new "char[4096]"
  local length = tonumber(write(subject, buffer, ffi.sizeof(buffer), nil))
  return ffi.string(buffer, math.max(length, 0))
end

local function checked(result)
  if result < 0 then
    error(text_of(lib.fssl_error_text, result), 2)
  end
  return result
end

local function trusting(ca)
  local ctx = checked(lib.fssl_ctx_new_client(nil))
  checked(lib.fssl_ctx_load_verify_locations(ctx, ca, #ca, nil, 0, nil))
  return ctx
end

-- Makes a connection, and gives the context to it.
local function connected(ctx, host, port, name)
  local conn = checked(lib.fssl_conn_new(ctx, lib.FSSL_NO_FD, nil))
  checked(lib.fssl_handle_close(ctx, nil))
  checked(lib.fssl_conn_set_timeout(conn, PATIENCE, nil))
  checked(lib.fssl_conn_set_host(conn, name, #name, nil))
  checked(lib.fssl_conn_connect(conn, host, #host, tonumber(port), nil))
  return conn
end

local function show(conn, bytes)
  print(("%s %s, %d bytes"):format(text_of(lib.fssl_conn_protocol_version_name, conn),
    text_of(lib.fssl_conn_cipher_name, conn), bytes))
end

-- Reads until so much has come, or the peer ends.
local function received(conn, most)
  local buffer, err = ffi.new("uint8_t[?]", most), ffi.new "int32_t[1]"
  local len = 0
  while len < most do
    local got = lib.fssl_conn_recv(conn, buffer + len, most - len, 0, err)
    if err[0] == lib.FSSL_E_ZERO_RETURN then
      break
    end
    len = len + tonumber(checked(got))
  end
  return ffi.string(buffer, len)
end

local function close(conn)
  checked(lib.fssl_handle_close(conn, nil))
  return lib.fssl_handle_count(lib.FSSL_TYPE_ANY, nil) == 0
end

local scenarios = {}

function scenarios.get(host, port, ca)
  local conn = connected(trusting(ca), host, port, host)
  local request = "GET / HTTP/1.0\r\n\r\n"
  checked(lib.fssl_conn_do_handshake(conn, nil))
  local verified = lib.fssl_conn_verify_result(conn, nil) == 0
  checked(lib.fssl_conn_send_all(conn, request, #request, nil, nil))
  local page = received(conn, 65536)
  show(conn, #page)
  return close(conn) and verified and page:find("HTTP/1.0 200 ", 1, true) == 1
end

function scenarios.echo(host, port, ca, certificate, key)
  local ctx = trusting(ca)
  checked(lib.fssl_ctx_use_certificate_chain_file(ctx, certificate, #certificate, nil))
  checked(lib.fssl_ctx_use_private_key_file(ctx, key, #key, lib.FSSL_FILETYPE_PEM, nil))
  local conn = connected(ctx, host, port, host)
  local said, sent = ("0123456789"):rep(1000), ffi.new "int64_t[1]"
  checked(lib.fssl_conn_send_all(conn, said, #said, sent, nil))
  local heard = received(conn, #said)
  show(conn, #heard)
  checked(lib.fssl_conn_shutdown(conn, nil))
  return close(conn) and sent[0] == #said and heard == said
end

function scenarios.refuse(host, port, ca, name)
  local conn, err = connected(trusting(ca), host, port, name), ffi.new "int32_t[1]"
  local result = lib.fssl_conn_do_handshake(conn, err)
  print(name .. " refused: " .. text_of(lib.fssl_error_text, result):match "[^\n]*")
  return close(conn) and result < 0 and err[0] == lib.FSSL_E_HOST
    and lib.fssl_error_code(result, nil) == lib.FSSL_E_HOST
end

os.exit(scenarios[arg[1]](unpack(arg, 2)) and 0 or 1)
