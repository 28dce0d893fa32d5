# A peer (see protocol.h): flatssl from Ruby.

require "flatssl"
require "socket"

FOLDER = ARGV.fetch(0)
SIZES = { "64" => 64, "1k" => 1024, "16k" => 16_384, "1m" => 1_048_576 }.freeze
RECORD = 16_384
AGREED = %w[TLS_AES_128_GCM_SHA256 x25519].freeze

def context(role, mutual)
  ca = role == "client" || mutual ? "#{FOLDER}/ca.pem" : nil
  made = role == "client" ? FlatSSL::Context.trusting(ca) : FlatSSL::Context.new_server
  if role == "server" || mutual
    made.use_certificate_chain_file("#{FOLDER}/#{role}.pem")
    made.use_private_key_file("#{FOLDER}/#{role}.pem", FlatSSL::FILETYPE_PEM)
  end
  if role == "server" && mutual
    made.load_verify_locations(ca, nil)
    made.set_verify(FlatSSL::VERIFY_PEER | FlatSSL::VERIFY_FAIL_IF_NO_PEER_CERT)
  end
  made.set_min_proto_version(FlatSSL::TLS1_3_VERSION)
  made.set_ciphersuites("TLS_AES_128_GCM_SHA256")
  made.set_groups("X25519:P-256")
  made.set_resumption(0) if role == "client"
  made
end

CONTEXTS = [false, true].to_h do |mutual|
  [mutual, [context("client", mutual), context("server", mutual)]]
end
LISTENER = TCPServer.new("127.0.0.1", 0)

def done?(conn)
  conn.do_handshake
  true
rescue FlatSSL::WantError
  false
end

# Both ends on memory.
class Memory
  attr_reader :ends

  def initialize(mutual)
    @ends = CONTEXTS[mutual].map { |context| FlatSSL::Connection.new_memory(context) }
    @ends[0].host = "localhost"
    @rest = (@ends * 2).reduce("") { |packet, conn| flight(conn, packet) } # as TLS 1.3 has it
  end

  # What comes behind the handshake.
  def settle
    flight(@ends[0], @rest)
  end

  # Takes what came and returns what is to be sent; the client's first begins the handshake.
  def flight(conn, packet)
    out = +""
    conn.pump(packet) { |part| out << part }
    out
  end

  def close
    @ends.each(&:close)
  end

  def carry(from, to, message)
    at = 0
    while at < message.bytesize
      piece = message.bytesize <= RECORD ? message : message.byteslice(at, RECORD)
      got = 0
      at += @ends[from].seal(piece) { |out| got += @ends[to].pump(out).bytesize }
      raise "the transfer" if got != piece.bytesize
    end
  end
end

# Both ends on TCP, none of which blocks.
class Loopback
  attr_reader :ends

  def initialize(mutual)
    near = TCPSocket.new("127.0.0.1", LISTENER.addr[1])
    @ends = [near, LISTENER.accept].zip(CONTEXTS[mutual]).map do |socket, context|
      socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      FlatSSL::Connection.new(context, socket).tap { |conn| conn.timeout = 0 }
    end
    @sockets = @ends.map(&:to_io)
    @buffer = String.new(capacity: RECORD)
    @ends[0].host = "localhost"
    done = [false, false]
    2.times { |at| done[at] ||= done?(@ends[at]) } until done.all?
  end

  def settle; end

  def close
    @ends.each(&:close)
    @sockets.each(&:close)
  end

  def carry(from, to, message)
    sent = got = 0
    while got < message.bytesize
      begin
        rest = sent.zero? ? message : message.byteslice(sent..)
        sent += @ends[from].send(rest) if sent < message.bytesize
        got += @ends[to].recv(RECORD, 0, @buffer).bytesize while got < sent
      rescue FlatSSL::WantError
        nil
      end
    end
  end
end

KEPT = Hash.new do |kept, way|
  kept[way] = way.new(false).tap do |link|
    link.ends.each { |conn| raise "agreed" unless [conn.cipher_name, conn.group_name] == AGREED }
    link.settle
    link.carry(0, 1, "x")
    link.carry(1, 0, "x")
  end
end

def once(way, what, link, message)
  case what
  when "handshake", "mutual" then way.new(what == "mutual").close
  when "echo"
    link.carry(0, 1, message)
    link.carry(1, 0, message)
  else link.carry(0, 1, message)
  end
end

def run(subject, count)
  what, _, way = subject.rpartition("_")
  way = { "memory" => Memory, "loopback" => Loopback }.fetch(way)
  link = KEPT[way]
  message = "m" * SIZES.fetch(what.delete_prefix("bulk_"), 64)
  start = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
  count.times { once(way, what, link, message) }
  Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - start
end

$stdin.each_line do |line|
  subject, count = line.split
  $stdout.puts(run(subject, count.to_i))
  $stdout.flush
end
