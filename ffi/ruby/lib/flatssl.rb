# TLS through libflatssl.
#
#     require "flatssl"
#
#     FlatSSL.connect("example.org", 443) do |conn|
#       conn.write("GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n")
#       puts conn.read
#     end
#
# Each noun of flatssl_decl.h is a class, each of its functions a method named as there without
# prefix and noun, made by the rules in flatssl/function.rb; what reads better by hand is in
# flatssl/objects.rb. Failures are raised as subclasses of FlatSSL::Error. No call holds the global
# lock while it waits, so other threads run on.
#
# The ffi gem is all that it needs. What carries data is three times as fast with flatssl/core.so,
# which is built by cmake -D FLATSSL_RUBY=ON where Ruby's headers are installed, and installed with
# these files. FlatSSL::COMPILED tells whether it is used, FlatSSL::REASON why not.

require_relative "flatssl/declarations"
require_relative "flatssl/native"
require_relative "flatssl/error"
require_relative "flatssl/function"
require_relative "flatssl/handle"
require_relative "flatssl/objects"
require_relative "flatssl/transfer"

module FlatSSL
  class << self
    # Connects to a TLS server and checks that it is who its certificate says: of an authority that
    # the system trusts, or a PEM file ca, or a context; and named as the host, or name. Timeout is
    # in seconds, nil for none. With a block, yields the connection, ends it, and returns what the
    # block did.
    def connect(host, port, ca: nil, name: nil, timeout: nil, context: nil, &block)
      conn = Connection.new(context || Context.trusting(ca))
      begin
        conn.timeout = timeout
        conn.host = name if name
        conn.connect(host, port)
        conn.do_handshake
      rescue Exception
        conn.close
        raise
      end
      block ? conn.use(&block) : conn
    end

    # Listens on an address and port (0 for a free one): accept then gives connections. With a
    # block, yields the listener and closes it.
    def listen(host, port, context:, backlog: 128)
      listener = Connection.new(context)
      begin
        listener.bind(host, port)
        listener.listen(backlog)
      rescue Exception
        listener.close
        raise
      end
      return listener unless block_given?

      begin
        yield listener
      ensure
        listener.close
      end
    end

    # How many handles of a class are open, or of all classes.
    def open_handles(type = TYPE_ANY)
      Native.checked(Native.fssl_handle_count(type.is_a?(Class) ? type::TYPE : type, nil))
    end
  end
end
