# One table from code to exception, and what an exception tells.

FAILURES = {
  "missing file" => [FlatSSL::SyscallError, -> { plain.use_certificate_file("/no/such", 1) }],
  "garbage" => [FlatSSL::ParseError, -> { FlatSSL::Certificate.from_pem("garbage") }],
  "unknown method" => [FlatSSL::ArgumentError, -> { FlatSSL::Context.new(99) }],
  "SSL 3" => [FlatSSL::UnsupportedError, -> { FlatSSL::Context.new(FlatSSL::SSLV3_METHOD) }],
  "unknown cipher" => [FlatSSL::CipherError, -> { plain.set_cipher_list("NONE-SUCH") }],
  "host with NUL" => [FlatSSL::ArgumentError, -> { memory.set_host("localhost\0x") }],
  "empty host" => [FlatSSL::ArgumentError, -> { memory.set_host("") }],
  "no descriptor" => [FlatSSL::StateError, -> { memory.fileno }],
  "nothing to read" => [FlatSSL::WantReadError, -> { client_memory.tap(&:bio_read).recv(1) }],
  "unknown name" => [FlatSSL::ResolveError, -> { FlatSSL.connect("no.such.invalid", 1) }],
  "key of another" => [FlatSSL::KeyMismatchError, lambda do
    plain.tap { |context| context.use_certificate_file(Peers.path("server.pem"), 1) }
         .use_private_key_file(Peers.path("client.key"), 1)
  end]
}.freeze

def plain
  FlatSSL::Context.new
end

def memory
  FlatSSL::Connection.new_memory(plain)
end

def client_memory
  conn = memory
  conn.set_connect_state
  begin
    conn.do_handshake
  rescue FlatSSL::WantReadError
    conn
  end
end

FAILURES.each do |name, (error_class, failure)|
  test("#{name} is #{error_class}") do
    error = raises(error_class, &failure)
    check error.code.between?(101, 799), error.code.inspect
    check !error.message.empty?
  end
end

test "every code has its class, below that of its kind" do
  FlatSSL::Declarations::CONSTANTS.each do |name, code|
    next unless name.start_with?("FSSL_E_")

    error = FlatSSL::Error.from_result(-code)
    kind = FlatSSL::Error.from_result(-(code / 100 * 100 + 99)).class
    equal code, error.code
    check error.is_a?(kind), "#{error.class} is no #{kind}"
    check kind < FlatSSL::Error
    check error.class != kind || name == "FSSL_E_TLS", "#{name} has no class of its own"
  end
end

test "a kind that is not known yet" do
  equal FlatSSL::Error, FlatSSL::Error.from_result(-4242).class
end

test "a record tells the cause" do
  error = raises(FlatSSL::SyscallError) { plain.use_certificate_file("/no/such", 1) }
  equal Errno::ENOENT::Errno, error.errno
  equal [nil, nil], [error.alert, error.verify_code]
  check error.lines.any? { |line| line.data.include?("/no/such") }
  check error.message.include?("/no/such")
end

test "OpenSSL's lines come with the names of its functions" do
  error = raises(FlatSSL::ParseError) { FlatSSL::Certificate.from_der("\x30\x03abc") }
  check error.lines.any? { |line| !line.function.empty? && !line.reason.empty? }
  check error.lines.all? { |line| line.line.nil? || line.line >= 0 }
end

test "a record that was overwritten is never another's" do
  result = FlatSSL::Native.fssl_cert_from_pem("garbage", 7, nil)
  equal FlatSSL::ParseError, FlatSSL::Error.from_result(result).class
  1100.times { FlatSSL::Native.fssl_ctx_new(99, nil) }
  error = FlatSSL::Error.from_result(result)
  equal [FlatSSL::ExpiredError, []], [error.class, error.lines]
end

test "errors of many threads are not mixed up" do
  threads = Array.new(8) do |at|
    Thread.new do
      100.times do
        path = "/no/such/#{at}"
        error = raises(FlatSSL::SyscallError) { plain.use_certificate_file(path, 1) }
        check error.lines.any? { |line| line.data == path }, error.message
      end
    end
  end
  threads.each(&:join)
end
