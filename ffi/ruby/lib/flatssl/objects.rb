# What the rules do not give: methods that read better, or that streams need. Those that carry data
# are in core.c, too, and change with them.

module FlatSSL
  class Context
    # Makes a context that verifies nothing and trusts nobody until it is told to. new_client and
    # new_server make safe ones.
    def self.new(method = TLS_METHOD)
      super
    end

    # Makes a safe context of a client that trusts the authorities of a PEM file alone, or for nil
    # those of the system.
    def self.trusting(file)
      context = new_client
      return context unless file

      context.cert_store = Store.new
      context.load_verify_locations(file, nil)
      context
    end
  end

  class Connection
    class << self
      # Makes a connection on a socket, which stays the caller's own; or on none, to be given one by
      # connect or bind. It blocks as Ruby's sockets seem to, whatever their descriptor does; on the
      # number of a descriptor it blocks as that does. See timeout=.
      def new(context, io = nil)
        conn = super(context, io.respond_to?(:fileno) ? io.fileno : io || NO_FD)
        conn.__send__(:hold, context, io)
        conn
      end

      def new_memory(context)
        conn = super
        conn.__send__(:hold, context, nil)
        conn
      end
    end

    # The very object that the connection was made with, or was given since.
    attr_reader :context

    def set_context(context)
      super
      @context = context
    end
    alias context= set_context

    # Sets how many seconds a call may wait: nil for ever, 0 not at all (then a WantError is raised,
    # and want tells what for).
    def timeout=(seconds)
      set_timeout(seconds ? (seconds * 1000).ceil : TIMEOUT_NONE)
    end

    # Waits for a client. With a block, yields the connection with it, and ends it after.
    def accept
      conn = super(&nil)
      conn.__send__(:hold, context, nil)
      block_given? ? conn.use { |open| yield open } : conn
    end

    # Advances the handshake to its end. A block answers what it asks: it gets the WantError of each
    # question, then the handshake goes on.
    def do_handshake
      super()
    rescue WantClientHelloError, WantCertificateError, WantVerifyError => question
      raise unless block_given?

      yield question
      retry
    end

    # Reads at most so many bytes, at least one: into a string, if one is given, whose memory is
    # then used again and again. Raises ZeroReturnError at the end of the stream.
    def recv(size, flags = 0, string = nil)
      fill(string, size) do |buffer|
        result = Native.fssl_conn_recv(@handle, buffer, size, flags, nil)
        result == -E_INTERRUPTED ? redo : result
      end
    end

    # Reads to the end of the stream. Raises EOFError where it was cut off.
    def read
      data = String.new(encoding: Encoding::BINARY)
      loop { data << recv(STREAM_SIZE) }
    rescue ZeroReturnError
      data
    end

    # Sends all of what becomes a string by to_s. Returns how many bytes that has; an error tells
    # how many of them were sent.
    def write(data)
      data = Native.text(data.to_s)
      done = 0
      loop do
        result, sent = send_rest(done.zero? ? data : data.byteslice(done..))
        done += sent
        return done if result >= 0
        next if result == -E_INTERRUPTED # Ruby has run its signal handlers

        raise Error.from_result(result).tap { |error| error.sent = done }
      end
    end
    alias send_all write

    def <<(data)
      write(data)
      self
    end

    # Takes ciphertext that is to be sent to the peer of a memory connection, into a string if one
    # is given.
    def bio_read(size = STREAM_SIZE, string = nil)
      fill(string, size) { |buffer| Native.fssl_conn_bio_read(@handle, buffer, size, nil) }
    end

    # Reads bytes that came behind the peer's close_notify, "" for none.
    def leftover(size = STREAM_SIZE)
      fill(nil, size) { |buffer| Native.fssl_conn_leftover(@handle, buffer, size, nil) }
    end

    # Takes ciphertext that came from the peer of a memory connection, and returns what plaintext
    # there is by now, "" for none. The block gets what is to be sent to the peer, and what is to be
    # sent because it failed.
    def pump(input = "", &send)
      plain = String.new(encoding: Encoding::BINARY)
      loop do
        result, part, input, more = pump_once(input, &send)
        plain << part
        next if result > 0 || more
        return plain if result == -E_WANT_READ || !plain.empty? # a failure comes again

        raise Error.from_result(result)
      end
    end

    # Sends on memory. Returns how many bytes were accepted: all, but where it fails. The block gets
    # what is to be sent to the peer, also then.
    def seal(data, &send)
      data = Native.text(data) || ""
      done = 0
      loop do
        result, more = seal_once(data.byteslice(done..), &send)
        _, more = seal_once("", &send) while more
        done += result if result > 0
        return Native.checked(done > 0 ? done : result) if result <= 0 || done == data.bytesize
      end
    end

    def peer_chain
      Array.new(peer_chain_count) { |at| peer_chain_item(at) }
    end

    def verified_chain
      Array.new(verified_chain_count) { |at| verified_chain_item(at) }
    end

    # For IO.select.
    def to_io
      @io ||= IO.for_fd(fileno, autoclose: false)
    end

    # Closes the connection. Nothing is sent; who waits on it gets CancelledError. When it returns
    # nobody uses the socket any more.
    def close
      Native.fssl_conn_detach(handle, nil) if @io
      super
    end

    # Yields the connection and closes it, after a close_notify where the block ended well.
    def use
      result = yield self
      end_stream
      result
    ensure
      close
    end

    STREAM_SIZE = 16_384
    SEALED_SIZE = 18_432 # a record of that size, encrypted, and one behind it
    private_constant :STREAM_SIZE, :SEALED_SIZE

    private

    def hold(context, io)
      @context = context
      return unless io.respond_to?(:fileno)

      @io = io # or its finalizer would close the descriptor
      self.timeout = nil
    end

    # Reads what the block gives into a string, or a new one. That it can be changed is known
    # before: what was read must not be lost.
    def fill(string, size)
      raise TypeError, "a #{string.class} is no String" unless string.nil? || string.is_a?(String)

      string&.clear
      bytes = Native.lend(size) { |buffer| buffer.read_bytes(Native.checked(yield(buffer))) }
      string ? string.replace(bytes) : bytes
    end

    # Returns the result, the plaintext, the input that is left, and whether there is more to do.
    def pump_once(input, &send)
      input = Native.text(input) || ""
      Native.lend(STREAM_SIZE) do |plain|
        result, taken, given = pump_into(input, plain, &send)
        more = given == STREAM_SIZE || taken.between?(1, input.bytesize - 1)
        [result, plain.read_bytes([result, 0].max), input.byteslice(taken..), more]
      end
    end

    def pump_into(input, plain)
      counts = FFI::MemoryPointer.new(:int64, 2)
      Native.lend(STREAM_SIZE) do |out|
        result = Native.fssl_conn_pump(@handle, input, input.bytesize, counts, plain, STREAM_SIZE,
                                       out, STREAM_SIZE, counts + 8, nil)
        taken, given = counts.read_array_of_int64(2)
        yield out.read_bytes(given) if given > 0
        [result, taken, given]
      end
    end

    # Returns the result and whether there is more to be sent.
    def seal_once(data)
      count = FFI::MemoryPointer.new(:int64)
      Native.lend(SEALED_SIZE) do |out|
        result = Native.fssl_conn_seal(@handle, data, data.bytesize, out, SEALED_SIZE, count, nil)
        given = count.read_int64
        yield out.read_bytes(given) if given > 0
        [result, given == SEALED_SIZE]
      end
    end

    def send_rest(data)
      sent = FFI::MemoryPointer.new(:int64)
      result = Native.fssl_conn_send_all(@handle, data, data.bytesize, sent, nil)
      [result, sent.read_int64]
    end

    # Says that no more will come. Where that fails the peer is gone, and knows.
    def end_stream
      shutdown unless closed?
    rescue Error
      nil
    end
  end

  class Certificate
    # The alternative names, as [kind, name].
    def alt_names
      Array.new(alt_name_count) { |at| alt_name_item(at).reverse }
    end

    def valid_from
      Time.at(not_before)
    end

    def valid_to
      Time.at(not_after)
    end
  end

  class Name
    # The items of the name, as [type, value].
    def items
      Array.new(count) { |at| [item_type(at), item_value(at).force_encoding(Encoding::UTF_8)] }
    end

    def to_s
      text
    end
  end
end
