# Two ends in one process: data, ends, waiting, memory.

require "io/nonblock"
require "pathname"

def shaken?(conn)
  conn.do_handshake
  true
rescue FlatSSL::WantReadError
  false
end

def carry(from, to)
  loop { to.bio_write(from.bio_read) }
rescue FlatSSL::WantReadError
  nil
end

test "what comes behind the end of TLS" do
  ours, theirs = UNIXSocket.pair
  server = FlatSSL::Connection.new(server_context, theirs)
  client = FlatSSL::Connection.new(client_context, ours)
  client.host = "localhost"
  shaking = Thread.new { server.do_handshake && server.shutdown && theirs.write("plain") }
  client.do_handshake
  raises(FlatSSL::StateError) { client.leftover }
  shaking.join
  raises(FlatSSL::ZeroReturnError) { client.recv(1) }
  equal "", client.leftover # without read-ahead it is still in the socket
  equal "plain", ours.read_nonblock(10)
  [client, server, ours, theirs].each(&:close)
end

test "much data, whole and in pieces" do
  data = Random.bytes(3_000_000)
  joined do |client, server|
    reader = Thread.new { server.read }
    equal data.size, client.write(data)
    client.shutdown
    check reader.value == data
    raises(FlatSSL::ZeroReturnError) { server.recv(1) }
  end
end

test "both ends send at once" do
  data = Random.bytes(2_000_000)
  joined do |*ends|
    threads = ends.flat_map do |conn|
      [Thread.new { conn.write(data) }, Thread.new { received(conn, data.size) }]
    end
    results = threads.map(&:value)
    check [1, 3].all? { |at| results[at] == data }
  end
end

test "peek, pending, recv of less" do
  joined do |client, server|
    client << "hello"
    equal "hello", server.recv(10, FlatSSL::MSG_PEEK)
    equal "he", server.recv(2)
    equal 3, server.pending
    equal "llo", server.recv(10)
  end
end

test "nothing at all" do
  joined do |client, server|
    equal 0, client.write("")
    equal "", server.recv(0)
    raises(FlatSSL::ArgumentError) { server.recv(-1) }
    equal 0, client.write(nil)
  end
end

test "into a string of the caller's" do
  joined do |client, server|
    buffer = String.new("before", encoding: "UTF-8")
    ["x" * 5000, "hello"].each do |said|
      client << said
      check server.recv(16_384, 0, buffer).equal?(buffer)
      equal [said, Encoding::BINARY], [buffer, buffer.encoding]
    end
    other = buffer.dup
    client << "more"
    server.recv(4, FlatSSL::MSG_PEEK, buffer)
    equal %w[more hello], [buffer, other]
    raises(FrozenError) { server.recv(4, 0, "frozen".freeze) }
    raises(TypeError) { server.recv(4, 0, 4) }
    equal "more", server.recv(4)
    client.shutdown
    raises(FlatSSL::ZeroReturnError) { server.recv(4, 0, buffer) }
  end
end

test "bytes as they are, whatever their encoding" do
  joined do |client, server|
    said = "gr\u00fc\u00df \0"
    [said.encode("UTF-16LE"), said, Pathname.new("a/b")].each do |data|
      bytes = data.to_s.b
      equal bytes.bytesize, client.write(data)
      equal bytes, server.recv(100)
    end
    equal 3, client.send("abc")
    raises(TypeError) { client.send(3) }
    equal "abc", server.recv(100)
  end
end

test "a string that changes while it is sent" do
  joined do |client, server|
    data = "a" * 1_000_000
    writer = Thread.new { client.write(data) }
    sleep 0.05
    data.replace("b" * 2_000_000)
    GC.start
    equal "a" * 1_000_000, received(server, 1_000_000)
    writer.join
  end
end

test "a time limit" do
  joined do |client, _|
    client.timeout = 0.2
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    raises(FlatSSL::TimeoutError) { client.recv(1) }
    took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
    check (0.2..2).cover?(took), "#{took} s"
  end
end

test "without waiting, and with IO.select" do
  joined do |client, server|
    client.timeout = 0
    raises(FlatSSL::WantReadError) { client.recv(1) }
    equal FlatSSL::WANT_READ, client.want
    equal nil, IO.select([client], nil, nil, 0.05)
    server << "x"
    check IO.select([client], nil, nil, 5)
    equal "x", client.recv(1)
    error = raises(FlatSSL::WantWriteError) { client.write("y" * 10_000_000) }
    check (1...10_000_000).cover?(error.sent), error.sent
    client.timeout = nil
    rest = Thread.new { client.flush } # what was encrypted when the socket took no more
    equal "y" * error.sent, received(server, error.sent)
    rest.join
  end
end

test "a descriptor blocks as it does" do
  ours, theirs = UNIXSocket.pair
  ours.nonblock = true
  conn = FlatSSL::Connection.new(client_context, ours.fileno)
  conn.host = "localhost"
  raises(FlatSSL::WantReadError) { conn.do_handshake }
  [ours, theirs].each(&:close)
end

test "the socket stays the caller's" do
  ours, = pair = UNIXSocket.pair
  conn = FlatSSL::Connection.new(client_context, ours)
  check conn.to_io.equal?(ours)
  conn.close
  check !ours.closed?
  equal 1, ours.write("x")
  pair.each(&:close)
end

test "a connection keeps its socket alive" do
  conns = Array.new(20) { FlatSSL::Connection.new(client_context, UNIXSocket.pair.first) }
  5.times { GC.start }
  conns.each { |conn| check IO.for_fd(conn.fileno, autoclose: false).stat.socket? }
  conns.each(&:close)
end

test "on memory" do
  client = FlatSSL::Connection.new_memory(client_context)
  server = FlatSSL::Connection.new_memory(server_context)
  client.host = "localhost"
  ends = [client, server]
  until ends.empty?
    ends.reject! { |conn| shaken?(conn) }
    carry(client, server)
    carry(server, client)
  end
  client << "hello"
  carry(client, server)
  equal "hello", server.recv(10)
end

test "a packet at a time, by pump" do
  client = FlatSSL::Connection.new_memory(client_context)
  server = FlatSSL::Connection.new_memory(server_context)
  client.host = "localhost"
  to_server = String.new
  to_client = String.new
  heard = String.new
  exchange = lambda do
    4.times do
      heard << server.pump(to_server.slice!(0..)) { |out| to_client << out }
      client.pump(to_client.slice!(0..)) { |out| to_server << out }
    end
  end
  exchange.call
  client.write(data = Random.bytes(200_000))
  exchange.call
  check data == heard
  client.shutdown
  client.pump { |out| to_server << out }
  raises(FlatSSL::ZeroReturnError) { server.pump(to_server) }
end

test "a message at a time, by seal" do
  client = FlatSSL::Connection.new_memory(client_context)
  server = FlatSSL::Connection.new_memory(server_context)
  client.host = "localhost"
  packets = []
  raises(FlatSSL::WantReadError) { client.seal("early") { |out| packets << out } }
  3.times do |at|
    conn = [server, client][at % 2]
    sent = packets.slice!(0..).join
    conn.pump(sent) { |out| packets << out }
  end
  [1, 100, 16_384, 100_000].each do |size|
    data = Random.bytes(size)
    packets.clear
    equal size, client.seal(data) { |out| packets << out }
    equal data, server.pump(packets.join)
  end
  raises(TypeError) { client.seal(1) { nil } }
  raises(FlatSSL::StateError) { FlatSSL::Connection.new(client_context).seal("x") { nil } }
  client.close
  raises(FlatSSL::HandleError) { client.seal("x") { nil } }
end

test "pump gives the alert, too, where it fails" do
  server = FlatSSL::Connection.new_memory(server_context)
  alert = nil
  raises(FlatSSL::TLSError) { server.pump("\x16\x03\x01\x00\x05hello") { |out| alert = out } }
  raises(FlatSSL::TLSError) { server.pump("") }
  raises(FlatSSL::StateError) { FlatSSL::Connection.new(server_context).pump("") }
  check alert&.start_with?("\x15\x03"), alert.inspect
end

test "a session is resumed" do
  context = client_context
  server = server_context
  session = nil
  2.times do |round|
    joined(client: context, server: server) do |one, other|
      other << "x"
      one.recv(1)
      equal round == 1, one.session_reused?
      session = one.session
      check session.resumable?
    end
    again = FlatSSL::Session.from_bytes(context, session.to_bytes)
    next if round == 1

    ours, theirs = UNIXSocket.pair
    conn = FlatSSL::Connection.new(context, ours)
    conn.host = "localhost"
    conn.session = again
    serve = Thread.new { FlatSSL::Connection.new(server, theirs).do_handshake }
    conn.do_handshake
    check conn.session_reused?
    serve.join
    break
  end
end

test "getpeername and getsockname" do
  serving(server_context, lambda(&:read)) do |port|
    FlatSSL.connect("127.0.0.1", port, context: client_context) do |conn|
      equal ["127.0.0.1", port], conn.getpeername
      equal ["127.0.0.1", conn.to_io.fileno], [conn.getsockname.first, conn.fileno]
    end
  end
end

test "a block that fails sends no close_notify" do
  ended = Queue.new
  serve = lambda do |conn|
    conn << "x"
    ended << begin
      conn.read
    rescue FlatSSL::Error => error
      error.class
    end
  end
  serving(server_context, serve) do |port|
    raises(RuntimeError) do
      FlatSSL.connect("localhost", port, context: client_context) do |conn|
        conn.recv(1) # or the socket is reset, since the tickets before it were not read
        raise "stop"
      end
    end
    equal FlatSSL::EOFError, ended.pop
  end
end

test "keying material of a length that the caller chooses" do
  joined do |client, server|
    material = client.export_keying_material("EXPORTER-test", "context", 77)
    equal 77, material.bytesize
    equal material, server.export_keying_material("EXPORTER-test", "context", 77)
  end
end

test "questions are answered in a block" do
  other = server_context("other")
  names = []
  ours, theirs = UNIXSocket.pair
  client = FlatSSL::Connection.new(client_context, ours)
  server = FlatSSL::Connection.new(server_context, theirs)
  client.host = "other.example"
  server.ask(FlatSSL::ASK_CLIENT_HELLO)
  serve = Thread.new do
    server.do_handshake do |question|
      names << [question.class, server.server_name]
      server.context = other
      server.answer_hello(0)
    end
  end
  client.do_handshake
  serve.join
  equal [[FlatSSL::WantClientHelloError, "other.example"]], names
  check server.context.equal?(other)
  [client, server, ours, theirs].each(&:close)
end

test "a question without a block is raised" do
  joined do |client, server|
    raises(FlatSSL::StateError) { server.answer_hello(0) }
    raises(FlatSSL::StateError) { client.ask(FlatSSL::ASK_VERIFY) }
  end
  ours, theirs = UNIXSocket.pair
  server = FlatSSL::Connection.new(server_context, theirs)
  server.ask(FlatSSL::ASK_CLIENT_HELLO)
  client = FlatSSL::Connection.new(client_context, ours)
  client.host = "localhost"
  shaking = Thread.new { raises(FlatSSL::AlertError) { client.do_handshake } }
  raises(FlatSSL::WantClientHelloError) { server.do_handshake }
  server.answer_hello(80)
  raises(FlatSSL::TLSError) { server.do_handshake }
  shaking.value
end
