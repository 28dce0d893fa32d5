# Real peers: openssl s_server and s_client, and Ruby's own openssl.

VERSIONS = {
  "TLS 1.2" => [FlatSSL::TLS1_2_VERSION, "-tls1_2"],
  "TLS 1.3" => [FlatSSL::TLS1_3_VERSION, "-tls1_3"]
}.freeze

PAGE = "GET / HTTP/1.0\r\n\r\n".freeze

def connected(port, context = client_context, host: "localhost", &block)
  FlatSSL.connect(host, port, context: context, timeout: 20, &block)
end

def ruby_openssl
  require "openssl"
rescue LoadError
  skip "Ruby's openssl is not installed"
end

VERSIONS.each do |name, (version, flag)|
  %w[server rsa].each do |certificate|
    test "a page from s_server, #{name}, #{certificate}" do
      Peers.s_server("-www", flag, certificate: certificate) do |port|
        page = connected(port, client_context(only: version)) do |conn|
          equal version, conn.protocol_version
          equal 0, conn.verify_result
          equal [["CN", certificate]], conn.peer_certificate.subject.items
          equal 2, conn.verified_chain.size
          conn << PAGE
          conn.read
        end
        check page.start_with?("HTTP/1.0 200 ok")
      end
    end

    test "s_client is served, #{name}, #{certificate}" do
      serving(server_context(certificate), ->(conn) { conn.write(conn.recv(100).upcase) }) do |port|
        said, status = Peers.s_client(port, "-verify_return_error", "-verify_hostname", "localhost",
                                      flag, "-ign_eof", input: "hello\n")
        check status.success? && said.include?("HELLO\n"), said
      end
    end
  end

  test "mutual TLS with s_server, #{name}" do
    Peers.s_server("-rev", flag, "-Verify", "1", "-verify_return_error",
                   "-CAfile", Peers.path("ca.pem")) do |port|
      context = client_context
      context.use_certificate_chain_file(Peers.path("client.pem"))
      context.use_private_key_file(Peers.path("client.key"), FlatSSL::FILETYPE_PEM)
      equal("olleh\n", connected(port, context) { |conn| conn.write("hello\n") && conn.recv(100) })
    end
  end

  test "a server that demands a certificate, #{name}" do
    Peers.s_server("-Verify", "1", "-verify_return_error", flag) do |port|
      error = raises(FlatSSL::AlertError) { connected(port) { |conn| conn.recv(1) } }
      check error.alert > 0
    end
  end
end

REFUSED = {
  "another's name" => ["other", FlatSSL::HostError, 62],
  "an authority that nobody trusts" => ["stranger", FlatSSL::VerifyError, 20],
  "a date long past" => ["expired", FlatSSL::VerifyError, 10]
}.freeze

REFUSED.each do |what, (certificate, error_class, verify_code)|
  test "refused: #{what}" do
    Peers.s_server("-www", certificate: certificate) do |port|
      error = raises(error_class) { connected(port) { check false, "the block was called" } }
      equal verify_code, error.verify_code
    end
  end
end

test "refused: a wrong address" do
  Peers.s_server("-www", certificate: "other") do |port|
    raises(FlatSSL::HostError) { connected(port, host: "127.0.0.1") }
  end
end

test "taken: the right address" do
  Peers.s_server("-www") do |port|
    check connected(port, host: "127.0.0.1") { |conn| conn.write(PAGE) && conn.read }.size > 1000
  end
end

test "refused without a context: the system does not trust the tests' authority" do
  Peers.s_server("-www") do |port|
    raises(FlatSSL::VerifyError) { FlatSSL.connect("localhost", port, timeout: 20) }
  end
end

test "trust and name in one line" do
  Peers.s_server("-www", certificate: "other", accepts: 2) do |port|
    ca = Peers.path("ca.pem")
    page = FlatSSL.connect("127.0.0.1", port, ca: ca, name: "other.example", timeout: 20) do |conn|
      conn.write(PAGE) && conn.read
    end
    check page.start_with?("HTTP/1.0 200 ok")
    raises(FlatSSL::VerifyError) do
      FlatSSL.connect("127.0.0.1", port, ca: Peers.path("unknown.pem"), name: "other.example")
    end
  end
end

test "no handle is left when connecting fails" do
  context = client_context
  before = FlatSSL.open_handles(FlatSSL::Connection)
  closed = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
  raises(FlatSSL::SyscallError) { connected(closed, context) }
  Peers.s_server("-www", certificate: "other") do |port|
    raises(FlatSSL::HostError) { connected(port, context) }
  end
  check FlatSSL.open_handles(FlatSSL::Connection) <= before
end

test "a stream that is cut off is not a whole one" do
  serving(server_context, lambda do |conn|
    conn.write("half")
    conn.sock_shutdown(FlatSSL::SHUT_RDWR)
  end) do |port|
    conn = connected(port)
    equal "half", conn.recv(10)
    raises(FlatSSL::EOFError) { conn.read }
    conn.close
  end
end

test "Ruby's own openssl as client" do
  ruby_openssl
  serving(server_context, ->(conn) { conn.write(conn.recv(100).reverse) }) do |port|
    trust = OpenSSL::SSL::SSLContext.new
    trust.set_params(ca_file: Peers.path("ca.pem"), verify_hostname: true)
    socket = OpenSSL::SSL::SSLSocket.open("127.0.0.1", port, context: trust)
    socket.hostname = "localhost"
    socket.connect
    socket.write("hello")
    equal "olleh", socket.read
    socket.close
  end
end

test "Ruby's own openssl as server" do
  ruby_openssl
  context = OpenSSL::SSL::SSLContext.new
  context.cert = OpenSSL::X509::Certificate.new(File.read(Peers.path("server.pem")))
  context.key = OpenSSL::PKey.read(File.read(Peers.path("server.key")))
  context.alpn_select_cb = ->(offered) { (offered & ["b"]).first }
  server = OpenSSL::SSL::SSLServer.new(TCPServer.new("127.0.0.1", 0), context)
  thread = Thread.new { server.accept.tap { |socket| socket.write(socket.gets.upcase) }.close }
  trust = client_context
  trust.alpn_protos = "\x01a\x01b"
  connected(server.addr[1], trust) do |conn|
    equal "b", conn.alpn_proto
    conn.write("hello\n")
    equal "HELLO\n", conn.read
  end
  thread.join
  server.close
end
