# Threads: none waits for another that does not have to, none waits for ever.

# Runs the block while this thread counts, and checks that it could.
def runs_beside
  waiting = Thread.new { yield }
  count = 0
  until waiting.join(0)
    count += 1
    sleep 0.001
    check count < 20_000, "it does not end"
  end
  check count > 20, "it held the global lock: #{count}"
  waiting.value
end

test "a thread that waits in recv lets others run" do
  joined do |client, server|
    waker = Thread.new { sleep(0.2) && server.write("x") }
    equal "x", runs_beside { client.recv(1) }
    waker.join
  end
end

test "a thread that waits in write lets others run" do
  joined do |client, server|
    waker = Thread.new { sleep(0.2) && received(server, 5_000_000) }
    equal 5_000_000, runs_beside { client.write("x" * 5_000_000) }
    waker.join
  end
end

test "a thread that waits in accept lets others run" do
  FlatSSL.listen("127.0.0.1", 0, context: server_context) do |listener|
    port = listener.getsockname.last
    waker = Thread.new { sleep(0.2) && TCPSocket.new("127.0.0.1", port) }
    runs_beside { listener.accept }.close
    waker.value.close
  end
end

test "a thread that waits for a handshake lets others run" do
  TCPServer.open("127.0.0.1", 0) do |server|
    runs_beside do
      raises(FlatSSL::TimeoutError) do
        FlatSSL.connect("localhost", server.addr[1], context: client_context, timeout: 0.3)
      end
    end
  end
end

test "Timeout, kill and raise end a wait" do
  joined do |client, server|
    raises(Timeout::Error) { Timeout.timeout(0.1) { client.recv(1) } }
    waiting = Thread.new { client.recv(1) }
    sleep 0.1
    waiting.kill
    check waiting.join(5), "it was not killed"
    waiting = Thread.new { raises(IOError) { client.recv(1) } }
    sleep 0.1
    waiting.raise(IOError, "stop")
    check waiting.join(5)
    server << "x"
    equal "x", client.recv(1)
  end
end

test "a signal is handled while a thread waits, which waits on" do
  joined do |client, server|
    handled = 0
    former = trap(:USR1) { handled += 1 }
    sender = Thread.new do
      5.times { sleep(0.05) && Process.kill(:USR1, Process.pid) }
      server << "x"
    end
    equal "x", client.recv(1)
    sender.join
    check handled.between?(1, 5), handled
    trap(:USR1, former || "DEFAULT")
  end
end

test "cancel ends the calls that wait now and none later" do
  joined do |client, server|
    waiting = Array.new(3) { Thread.new { raises(FlatSSL::CancelledError) { client.recv(1) } } }
    sleep 0.1
    client.cancel
    waiting.each(&:join)
    server << "x"
    equal "x", client.recv(1)
  end
end

test "close ends the calls that wait" do
  joined do |client, _|
    waiting = Thread.new { raises(FlatSSL::CancelledError) { client.recv(1) } }
    sleep 0.1
    client.close
    check waiting.join(5), "it waits on"
    waiting.value
  end
end

test "8 threads on one context, connecting and closing" do
  echo = ->(conn) { conn.write(conn.recv(100)) }
  context = client_context
  server = server_context
  FlatSSL.listen("127.0.0.1", 0, context: server) do |listener|
    port = listener.getsockname.last
    accepting = Array.new(4) { Thread.new { loop { listener.accept(&echo) } } }
    clients = Array.new(8) do |at|
      Thread.new do
        25.times do |round|
          said = "#{at} #{round}"
          answer = FlatSSL.connect("localhost", port, context: context, timeout: 20) do |conn|
            conn.write(said)
            conn.recv(100)
          end
          equal said, answer
        end
      end
    end
    clients.each(&:value)
    accepting.each(&:kill).each(&:join)
  end
end

test "threads change a context that others connect with" do
  context = client_context
  serving(server_context, ->(conn) { conn.write("x") }) do |port|
    changing = Thread.new do
      loop do
        context.set_cipher_list("HIGH")
        context.load_verify_locations(Peers.path("ca.pem"), nil)
      end
    end
    clients = Array.new(4) do
      Thread.new do
        10.times { FlatSSL.connect("localhost", port, context: context, timeout: 20, &:read) }
      end
    end
    clients.each(&:value)
    changing.kill.join
  end
end

test "many threads write to one connection, and nothing is torn" do
  joined do |client, server|
    lines = Array.new(6) { |at| "#{at.to_s * 3000}\n" }
    reading = Thread.new { server.read }
    lines.map { |line| Thread.new { 20.times { client.write(line) } } }.each(&:join)
    client.shutdown
    equal lines.flat_map { |line| [line] * 20 }.sort, reading.value.lines.sort
  end
end

test "a child of fork does not use its parent's connection" do
  joined do |client, server|
    code = FlatSSL::E_FORKED
    child = fork do
      client.recv(1)
    rescue FlatSSL::ForkedError => error
      exit!(error.code == code ? 0 : 1)
    end
    check Process.wait2(child).last.success?
    server << "x"
    equal "x", client.recv(1)
  end
end
