# The other ends: openssl's s_server and s_client, Ruby's own openssl, and threads of this process.

require "open3"
require "socket"
require "tmpdir"

module Peers
  FOLDER = Dir.mktmpdir("flatssl-ruby-")
  TESTS = File.expand_path("../../../tests", __dir__)

  @children = []

  class << self
    def start
      system(File.join(TESTS, "certificates"), FOLDER, exception: true)
      at_exit { finish }
    end

    def path(name)
      File.join(FOLDER, name)
    end

    # Runs openssl s_server on a free port, for as many connections. Yields the port.
    def s_server(*arguments, certificate: "server", accepts: 1)
      command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", accepts.to_s,
                 "-cert", path("#{certificate}.pem"), "-key", path("#{certificate}.key"),
                 *arguments]
      Open3.popen2e(*command, chdir: FOLDER) do |input, output, child|
        @children << child.pid
        yield accepting_port(output), input, output
      ensure
        stop(child)
      end
    end

    # Runs openssl s_client with this input. Returns what it printed.
    def s_client(port, *arguments, input: "")
      command = ["openssl", "s_client", "-connect", "127.0.0.1:#{port}",
                 "-CAfile", path("ca.pem"), *arguments]
      Open3.capture2e(*command, stdin_data: input)
    end

    private

    def accepting_port(output)
      output.each_line do |line|
        port = line[/\AACCEPT .*:(\d+)/, 1]
        return port.to_i if port
      end
      raise "openssl s_server did not start"
    end

    def stop(child)
      Process.kill(:KILL, child.pid)
    rescue Errno::ESRCH
      nil
    end

    def finish
      FileUtils.remove_entry(FOLDER)
    end
  end
end

# A context that trusts the authority of the tests.
def client_context(**versions)
  context = FlatSSL::Context.new_client
  context.load_verify_locations(Peers.path("ca.pem"), nil)
  restrict(context, **versions)
end

def server_context(name = "server", **versions)
  context = FlatSSL::Context.new_server
  context.use_certificate_chain_file(Peers.path("#{name}.pem"))
  context.use_private_key_file(Peers.path("#{name}.key"), FlatSSL::FILETYPE_PEM)
  restrict(context, **versions)
end

def restrict(context, only: nil)
  context.min_proto_version = only if only
  context.max_proto_version = only if only
  context
end

# Serves one connection after another in a thread; the block gets each. Yields the port.
def serving(context, serve)
  FlatSSL.listen("127.0.0.1", 0, context: context) do |listener|
    server = Thread.new { loop { listener.accept(&serve) } }
    server.report_on_exception = false
    begin
      yield listener.getsockname.last
    ensure
      server.kill
      server.join
    end
  end
end

# Two ends over a pair of local sockets, both shaken hands. Yields client and server.
def joined(client: client_context, server: server_context)
  ours, theirs = UNIXSocket.pair
  FlatSSL::Connection.new(client, ours).use do |one|
    FlatSSL::Connection.new(server, theirs).use do |other|
      one.set_host("localhost")
      hand = Thread.new { other.do_handshake }
      one.do_handshake
      hand.join
      yield one, other
    end
  end
ensure
  [ours, theirs].each { |socket| socket&.close }
end

# Reads so many bytes.
def received(conn, size)
  data = String.new(encoding: Encoding::BINARY)
  data << conn.recv(65_536) while data.size < size
  data
end
