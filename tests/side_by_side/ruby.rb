# Ruby's openssl, libflatssl and its private build in one process, each talking with each.
#
#     ruby.rb first|last <plain library> <private library> <folder of certificates>
#
# Ruby's openssl is loaded first, or last. Ends in "N passed, N failed, N skipped".

require "ffi"
require "socket"
require "timeout"

HEADER = File.read(File.expand_path("../../abi/flatssl_decl.h", __dir__), encoding: "UTF-8")
LIMIT = 30 # seconds, for one pair

class Refused < StandardError; end

# One loaded copy of the library.
class Flatssl
  E_HOST = Integer(HEADER[/\bFSSL_E_HOST = (\d+)/, 1])
  E_HANDLE = Integer(HEADER[/\bFSSL_E_HANDLE = (\d+)/, 1])
  PROTOTYPE = /\bint64_t\s+(fssl_\w+)\(([^;]*)\);/

  def initialize(path)
    @lib = Module.new { extend FFI::Library }
    @lib.ffi_lib path
    HEADER.gsub(%r{/\*.*?\*/}m, "").scan(PROTOTYPE) do |name, parameters|
      types = parameters.split(",").map do |parameter|
        next :pointer if parameter.match?(/\*|_callback /)

        parameter.include?("int32_t") ? :int32 : :int64
      end
      @lib.attach_function(name, types, :int64, blocking: true)
    end
  end

  # Calls a function; a String goes in with its length.
  def call(name, *arguments)
    arguments = arguments.flat_map { |one| one.is_a?(String) ? [one, one.bytesize] : [one] }
    err = FFI::MemoryPointer.new(:int32)
    result = @lib.public_send("fssl_#{name}", *arguments, err)
    raise Refused, err.read_int32.to_s if result.negative?

    result
  end

  def client(socket, folder, name)
    context = call(:ctx_new_client)
    call(:ctx_load_verify_locations, context, "#{folder}/ca.pem", nil, 0)
    FlatsslEnd.new(self, context, socket) { |conn| call(:conn_set_host, conn, name) }
  end

  def server(socket, folder)
    context = call(:ctx_new_server)
    call(:ctx_use_certificate_chain_file, context, "#{folder}/server.pem")
    call(:ctx_use_private_key_file, context, "#{folder}/server.key", 1)
    FlatsslEnd.new(self, context, socket)
  end

  # Whether an error is that of a wrong name.
  def wrong_name?(error)
    error.is_a?(Refused) && error.message == E_HOST.to_s
  end

  def refuses?(handle)
    call(:handle_type, handle)
    false
  rescue Refused => error
    error.message == E_HANDLE.to_s
  end
end

# One end of a connection by a copy of flatssl.
class FlatsslEnd
  def initialize(library, context, socket)
    @library = library
    @conn = library.call(:conn_new, context, socket.fileno)
    @socket = socket
    library.call(:handle_close, context)
    library.call(:conn_set_timeout, @conn, LIMIT * 1000)
    yield @conn if block_given?
  end

  def shake
    @library.call(:conn_do_handshake, @conn)
  end

  def write(data)
    @library.call(:conn_send_all, @conn, data, nil)
  end

  def read(size)
    buffer = FFI::MemoryPointer.new(size)
    buffer.read_bytes(@library.call(:conn_recv, @conn, buffer, size, 0))
  end

  def close
    @library.call(:handle_close, @conn)
    @socket.close
  end
end

# The same by Ruby's openssl.
class RubyOpenSSL
  End = Struct.new(:stream, :role) do
    def shake
      stream.public_send(role)
    end

    def write(data)
      stream.write(data)
    end

    def read(size)
      stream.readpartial(size)
    end

    def close
      stream.io.close
    end
  end

  def client(socket, folder, name)
    context = OpenSSL::SSL::SSLContext.new
    context.set_params(ca_file: "#{folder}/ca.pem", verify_hostname: true)
    stream = OpenSSL::SSL::SSLSocket.new(socket, context)
    stream.hostname = name
    End.new(stream, :connect)
  end

  def server(socket, folder)
    context = OpenSSL::SSL::SSLContext.new
    context.cert = OpenSSL::X509::Certificate.new(File.read("#{folder}/server.pem"))
    context.key = OpenSSL::PKey.read(File.read("#{folder}/server.key"))
    End.new(OpenSSL::SSL::SSLSocket.new(socket, context), :accept)
  end

  def wrong_name?(error)
    error.is_a?(OpenSSL::SSL::SSLError) && error.message.include?("hostname mismatch")
  end
end

# Yields two ends over a pair of sockets, the server shaking hands in a thread of its own.
def joined(client, server, folder, name)
  ours, theirs = UNIXSocket.pair
  ends = [client.client(ours, folder, name), server.server(theirs, folder)]
  serving = Thread.new { ends.last.shake }
  serving.report_on_exception = false
  Timeout.timeout(LIMIT) { yield(*ends, serving) }
ensure
  ends&.each(&:close)
end

def talks?(client, server, folder)
  joined(client, server, folder, "localhost") do |one, other, serving|
    one.shake
    serving.join
    one.write("there")
    other.write("and back")
    other.read(100) == "there" && one.read(100) == "and back"
  end
end

def refuses?(client, server, folder)
  joined(client, server, folder, "wrong.example") do |one, _, serving|
    one.shake
    false
  rescue StandardError => error
    client.wrong_name?(error)
  ensure
    serving.kill.join rescue nil
  end
end

order, plain, private_build, folder = ARGV
require "openssl" if order == "first"
copies = { "plain" => Flatssl.new(plain), "private" => Flatssl.new(private_build) }
require "openssl" if order == "last"
stacks = copies.merge("Ruby" => RubyOpenSSL.new)

counts = { true => 0, false => 0 }
count = lambda do |title, good|
  puts "#{good ? 'passed' : 'FAILED'} #{title}"
  counts[good] += 1
end
stacks.to_a.product(stacks.to_a) do |(client, one), (server, other)|
  count["#{client} talks with #{server}", talks?(one, other, folder)]
  count["#{client} refuses #{server} of another name", refuses?(one, other, folder)]
end
context = copies["plain"].call(:ctx_new_client)
count["a copy refuses the other's handle", copies["private"].refuses?(context)]
copies["plain"].call(:handle_close, context)
copies.each { |name, copy| count["#{name} leaves no handle", copy.call(:handle_count, 0).zero?] }
puts "#{counts[true]} passed, #{counts[false]} failed, 0 skipped"
exit counts[false].zero?
