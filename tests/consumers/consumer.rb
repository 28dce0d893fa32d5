# A script made against FLATSSL_1.0, as it was then. See consumer.c for what it does. It loads the
# library by the ffi gem from the declarations of FLATSSL_HEADER, without the binding.

require "ffi"

module Lib
  extend FFI::Library
  ffi_lib "libflatssl.so.1"

  header = File.read(ENV.fetch("FLATSSL_HEADER"), encoding: "UTF-8").gsub(%r{/\*.*?\*/}m, "")
  header.scan(/\bint64_t\s+(fssl_\w+)\(([^;]*)\);/) do |name, parameters|
    types = parameters.split(",").map do |parameter|
      next :pointer if parameter.include?("*") || parameter.include?("_callback ")

      parameter.include?("int32_t") ? :int32 : :int64
    end
    attach_function name, types, :int64, blocking: true
  end
  header.scan(/\b(FSSL_\w+)\s*=\s*(-?\w+)/) { |name, value| const_set(name, Integer(value)) }
end

PATIENCE = 20_000

def text_of(write, subject)
  buffer = FFI::MemoryPointer.new(4096)
  buffer.read_bytes([Lib.public_send(write, subject, buffer, buffer.size, nil), 0].max)
end

def checked(result)
  abort text_of(:fssl_error_text, result) if result.negative?
  result
end

def trusting(ca)
  ctx = checked(Lib.fssl_ctx_new_client(nil))
  checked(Lib.fssl_ctx_load_verify_locations(ctx, ca, ca.bytesize, nil, 0, nil))
  ctx
end

# Makes a connection, and gives the context to it.
def connected(ctx, host, port, name)
  conn = checked(Lib.fssl_conn_new(ctx, Lib::FSSL_NO_FD, nil))
  checked(Lib.fssl_handle_close(ctx, nil))
  checked(Lib.fssl_conn_set_timeout(conn, PATIENCE, nil))
  checked(Lib.fssl_conn_set_host(conn, name, name.bytesize, nil))
  checked(Lib.fssl_conn_connect(conn, host, host.bytesize, Integer(port), nil))
  conn
end

def show(conn, bytes)
  puts "#{text_of(:fssl_conn_protocol_version_name, conn)} " \
       "#{text_of(:fssl_conn_cipher_name, conn)}, #{bytes} bytes"
end

# Reads until so much has come, or the peer ends.
def received(conn, most)
  data = String.new
  while data.bytesize < most
    buffer = FFI::MemoryPointer.new(most - data.bytesize)
    got = Lib.fssl_conn_recv(conn, buffer, buffer.size, 0, nil)
    break if Lib.fssl_error_code(got, nil) == Lib::FSSL_E_ZERO_RETURN

    data << buffer.read_bytes(checked(got))
  end
  data
end

def close(conn)
  checked(Lib.fssl_handle_close(conn, nil))
  Lib.fssl_handle_count(Lib::FSSL_TYPE_ANY, nil).zero?
end

def get(host, port, ca)
  conn = connected(trusting(ca), host, port, host)
  request = "GET / HTTP/1.0\r\n\r\n"
  checked(Lib.fssl_conn_do_handshake(conn, nil))
  verified = Lib.fssl_conn_verify_result(conn, nil).zero?
  checked(Lib.fssl_conn_send_all(conn, request, request.bytesize, nil, nil))
  page = received(conn, 65_536)
  show(conn, page.bytesize)
  close(conn) && verified && page.start_with?("HTTP/1.0 200 ")
end

def echo(host, port, ca, certificate, key)
  ctx = trusting(ca)
  checked(Lib.fssl_ctx_use_certificate_chain_file(ctx, certificate, certificate.bytesize, nil))
  checked(Lib.fssl_ctx_use_private_key_file(ctx, key, key.bytesize, Lib::FSSL_FILETYPE_PEM, nil))
  conn = connected(ctx, host, port, host)
  said = Random.bytes(10_000)
  checked(Lib.fssl_conn_send_all(conn, said, said.bytesize, nil, nil))
  heard = received(conn, said.bytesize)
  show(conn, heard.bytesize)
  checked(Lib.fssl_conn_shutdown(conn, nil))
  close(conn) && heard == said
end

def refuse(host, port, ca, name)
  conn = connected(trusting(ca), host, port, name)
  err = FFI::MemoryPointer.new(:int32)
  result = Lib.fssl_conn_do_handshake(conn, err)
  puts "#{name} refused: #{text_of(:fssl_error_text, result).lines.first&.chomp}"
  codes = [err.read_int32, Lib.fssl_error_code(result, nil)]
  close(conn) && result.negative? && codes == [Lib::FSSL_E_HOST] * 2
end

scenario, *arguments = ARGV
abort "consumer.rb get|echo|refuse HOST PORT CA ..." unless %w[get echo refuse].include?(scenario)
exit send(scenario, *arguments)
