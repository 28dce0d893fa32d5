# A peer (see protocol.h): Ruby's own openssl, over loopback alone.

require "openssl"
require "socket"

FOLDER = ARGV.fetch(0)
SIZES = { "64" => 64, "1k" => 1024, "16k" => 16_384, "1m" => 1_048_576 }.freeze
AGREED = "TLS_AES_128_GCM_SHA256".freeze

def context(role, mutual)
  made = OpenSSL::SSL::SSLContext.new
  if role == "server" || mutual
    pem = File.read("#{FOLDER}/#{role}.pem")
    made.add_certificate(OpenSSL::X509::Certificate.new(pem), OpenSSL::PKey.read(pem))
  end
  if role == "client" || mutual
    made.ca_file = "#{FOLDER}/ca.pem"
    made.verify_mode = OpenSSL::SSL::VERIFY_PEER | OpenSSL::SSL::VERIFY_FAIL_IF_NO_PEER_CERT
    made.verify_hostname = role == "client"
  end
  made.session_id_context = "bench"
  made.min_version = OpenSSL::SSL::TLS1_3_VERSION
  made
end

CONTEXTS = [false, true].to_h do |mutual|
  [mutual, [context("client", mutual), context("server", mutual)]]
end
BUFFER = String.new(capacity: 16_384)
LISTENER = TCPServer.new("127.0.0.1", 0)

# Both ends on TCP.
def open_link(mutual)
  near = TCPSocket.new("127.0.0.1", LISTENER.addr[1])
  ends = [near, LISTENER.accept].zip(CONTEXTS[mutual]).map do |socket, context|
    socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
    OpenSSL::SSL::SSLSocket.new(socket, context).tap { |made| made.sync_close = true }
  end
  ends[0].hostname = "localhost"
  client = server = :wait_readable
  while client.is_a?(Symbol) || server.is_a?(Symbol)
    client = ends[0].connect_nonblock(exception: false) if client.is_a?(Symbol)
    server = ends[1].accept_nonblock(exception: false) if server.is_a?(Symbol)
  end
  ends
end

# Sends a message from one end to the other.
def carry(from, to, message)
  sent = got = 0
  size = message.bytesize
  while got < size
    if sent < size
      rest = sent.zero? ? message : message.byteslice(sent..)
      part = from.write_nonblock(rest, exception: false)
      sent += part if part.is_a?(Integer)
    end
    data = to.read_nonblock(size - got, BUFFER, exception: false)
    got += data.bytesize if data.is_a?(String)
  end
end

# The link that stays, its ends as agreed.
def kept
  @kept ||= open_link(false).tap do |ends|
    ends.each { |one| raise "the cipher" unless one.cipher[0] == AGREED }
    raise "the group" unless ends[0].tmp_key.oid == "X25519"

    carry(ends[0], ends[1], "x")
    carry(ends[1], ends[0], "x")
  end
end

def once(what, near, far, message)
  case what
  when "handshake", "mutual" then open_link(what == "mutual").each(&:close)
  when "echo"
    carry(near, far, message)
    carry(far, near, message)
  else carry(near, far, message)
  end
end

def run(what, count)
  near, far = kept
  message = "m" * SIZES.fetch(what.delete_prefix("bulk_"), 64)
  start = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
  count.times { once(what, near, far, message) }
  Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - start
end

$stdin.each_line do |line|
  subject, count = line.split
  what, _, way = subject.rpartition("_")
  answer = way == "memory" ? "- Ruby's openssl has no connections in memory" : run(what, count.to_i)
  $stdout.puts(answer)
  $stdout.flush
end
