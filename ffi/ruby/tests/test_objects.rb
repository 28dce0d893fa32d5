# What goes in and comes out by the rules, and the life of objects.

def openssl_key(*options)
  key, status = Open3.capture2("openssl", "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt",
                               "ec_paramgen_curve:P-256", *options)
  check status.success?
  key
end

test "a number, and its assignment" do
  context = FlatSSL::Context.new
  equal FlatSSL::VERIFY_NONE, context.verify_mode
  context.verify = FlatSSL::VERIFY_PEER
  equal FlatSSL::VERIFY_PEER, context.verify_mode
  raises(TypeError) { context.verify = nil }
  raises(RangeError) { context.set_verify(2**40) }
  raises(FlatSSL::ArgumentError) { context.set_verify(-1) }
end

test "a number that can be negative" do
  context = FlatSSL::Context.new
  equal(-1, context.verify_depth)
  context.app_data = -5
  equal(-5, context.app_data)
end

test "text and bytes" do
  key = FlatSSL::Key.generate(FlatSSL::KEY_RSA, 2048, nil)
  check key.private?
  equal FlatSSL::KEY_RSA, key.type
  pem = key.to_pem("aes-256-cbc", "secret")
  check pem.bytesize > 1024
  equal Encoding::BINARY, pem.encoding
  equal key.to_der, FlatSSL::Key.from_pem(pem, "secret").to_der
  raises(FlatSSL::PassphraseWrongError) { FlatSSL::Key.from_pem(pem, "wrong") }
  raises(FlatSSL::PassphraseNeededError) { FlatSSL::Key.from_pem(pem, nil) }
  raises(TypeError) { FlatSSL::Key.from_pem(5, nil) }
end

test "a public key has no private part" do
  pem = openssl_key
  key = FlatSSL::Key.from_pem(pem, nil)
  public_key = FlatSSL::Key.public_from_pem(key.public_to_pem)
  equal [true, false], [key.private?, public_key.private?]
end

test "a certificate" do
  certificate = FlatSSL::Certificate.from_pem(File.binread(Peers.path("server.pem")))
  equal [["CN", "server"]], certificate.subject.items
  equal Encoding::UTF_8, certificate.subject.text.encoding
  equal [2, "localhost"], certificate.alt_names.first
  equal [2, 7], certificate.alt_names.map(&:first)
  equal [true, false], [certificate.matches_host?("localhost"), certificate.matches_host?("x.org")]
  check (certificate.valid_from..certificate.valid_to).cover?(Time.now)
  asked, = Open3.capture2("openssl", "x509", "-in", Peers.path("server.pem"), "-outform", "DER")
  equal asked.b, certificate.to_der
end

test "a path may be a Pathname, and is not cut at a NUL" do
  require "pathname"
  context = FlatSSL::Context.new
  context.use_certificate_file(Pathname(Peers.path("server.pem")), FlatSSL::FILETYPE_PEM)
  raises(FlatSSL::ArgumentError) do
    context.use_certificate_file("#{Peers.path('server.pem')}\0", FlatSSL::FILETYPE_PEM)
  end
end

test "what is there or not" do
  conn = FlatSSL::Connection.new_memory(FlatSSL::Context.new)
  equal nil, conn.peer_certificate
  equal "", conn.cipher_name
  equal [], conn.peer_chain
end

test "a wrong number of arguments" do
  context = FlatSSL::Context.new
  error = raises(ArgumentError) { context.set_options }
  equal "wrong number of arguments (given 0, expected 1)", error.message
  raises(ArgumentError) { context.mode(1) }
end

test "an object of another kind" do
  context = FlatSSL::Context.new
  raises(TypeError) { FlatSSL::Connection.new("context") }
  raises(FlatSSL::HandleTypeError) { context.use_certificate(context) }
  raises(FlatSSL::HandleError) { FlatSSL::Connection.new(nil) }
end

test "close" do
  context = FlatSSL::Context.new
  before = FlatSSL.open_handles(FlatSSL::Context)
  2.times { equal nil, context.close }
  check context.closed?
  equal before - 1, FlatSSL.open_handles(FlatSSL::Context)
  raises(FlatSSL::HandleError) { context.mode }
end

test "a block closes what it was given" do
  kept = nil
  equal 42, (FlatSSL::Context.new_server { |context| kept = context; 42 })
  check kept.closed?
  raises(RuntimeError) { FlatSSL::Context.new { |context| kept = context; raise "stop" } }
  check kept.closed?
end

test "objects are not copied, nor made of nothing" do
  raises(TypeError) { FlatSSL::Context.new.dup }
  raises(NoMethodError) { FlatSSL::Session.new }
end

test "one object under two handles" do
  context = FlatSSL::Context.new
  conn = FlatSSL::Connection.new_memory(context)
  check context.equal?(conn.context)
  again = FlatSSL::Handle.wrap(FlatSSL::Native.fssl_conn_context(conn.handle, nil))
  check again == context && !again.equal?(context)
  check FlatSSL::Context.new != context
  conn.context = other = FlatSSL::Context.new
  check conn.context.equal?(other)
end

test "no method takes the place of one that Ruby itself needs" do
  name = FlatSSL::Name.new
  equal 1, { name => 1 }[name]
  check name.name_hash != name.hash
  check FlatSSL::Handle::CLASSES.values.all? { |made| made.name.start_with?("FlatSSL::") }
end

test "a certificate is made" do
  key = FlatSSL::Key.generate(FlatSSL::KEY_EC, 0, "P-256")
  certificate = FlatSSL::Certificate.new
  certificate.set_serial("1f", 16)
  certificate.public_key = key
  certificate.subject.add_item("CN", "made in Ruby")
  certificate.sign(key, "sha256")
  equal "1f", certificate.serial.downcase
  equal [["CN", "made in Ruby"]], certificate.subject.items
  raises(FlatSSL::ReadonlyError) { joined { |client, _| client.peer_certificate.version = 2 } }
end

test "the garbage collector frees handles" do
  before = FlatSSL.open_handles
  made = Thread.new do # whose stack, where the collector may find traces of them, ends with it
    kept = Array.new(500) do
      context = FlatSSL::Context.new
      [FlatSSL::Connection.new_memory(context), context.cert_store]
    end
    [FlatSSL.open_handles - before, kept.clear].first
  end
  check made.value > 1000 # those of earlier tests may have gone meanwhile
  10.times { GC.start }
  left = FlatSSL.open_handles - before
  check left < 100, "#{left} handles are left"
end

test "a finalizer frees in a program's end, too" do
  script = 'require "flatssl"; $kept = FlatSSL::Context.new; FlatSSL::Context.new; puts "end"'
  library = File.expand_path("../lib", __dir__)
  said, status = Open3.capture2e("ruby", "-w", "-I", library, "-e", script)
  equal ["end\n", true], [said, status.success?]
end
