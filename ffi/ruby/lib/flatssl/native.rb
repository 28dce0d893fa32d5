# The library, with its functions as they are declared.

require "ffi"

module FlatSSL
  module Native
    extend FFI::Library

    TYPES = {
      "fssl_handle" => :int64, "int64_t" => :int64, "int32_t" => :int32,
      "const char *" => :pointer, "const uint8_t *" => :pointer,
      "char *" => :pointer, "uint8_t *" => :pointer,
      "int64_t *" => :pointer, "int32_t *" => :pointer
    }.freeze

    # These take no lock and wait for nothing. Every other call gives the global lock away: else a
    # thread that waits in it for a connection's or context's lock would keep away the very thread
    # that holds this lock.
    QUICK = /\Afssl_(?:version|error)_|\Afssl_handle_(?:type|count|next)\z/

    LENT = 32_768 # more than a record of TLS
    SPARE = Queue.new
    private_constant :LENT, :SPARE

    ffi_lib(ENV["FLATSSL_LIBRARY"] || %w[libflatssl.so.1 libflatssl.1.dylib])

    class << self
      # Whether a prototype can be called: not one that takes a function, for which there are
      # questions and data instead, nor one that is newer than the library.
      def attach(prototype)
        types = prototype.parameters.map { |parameter| TYPES[parameter.type] }
        return false unless types.all?

        attach_function(prototype.name, types, :int64, blocking: !QUICK.match?(prototype.name))
        true
      rescue FFI::NotFoundError
        false
      end

      # Where a function of the library is.
      def address(name)
        found = ffi_libraries.first.find_function(name)
        found ? found.address : raise(LoadError, "flatssl: the library has no #{name}")
      end

      # Returns a result, or raises what it tells of a failure.
      def checked(result)
        raise Error.from_result(result) if result < 0

        result
      end

      # A text's bytes as they are when the call begins: other threads run during it, and may change
      # the string. They pass for a pointer.
      def text(text)
        text = bytes(text) unless text.instance_of?(String)
        text.nil? || text.frozen? ? text : text.dup
      end

      def number(value)
        case value
        when true then 1
        when false then 0
        else value # ffi refuses what is no number or does not fit
        end
      end

      # Reads a whole text or bytes: block is called with buffer and capacity, and calls.
      def whole(encoding, capacity, &block)
        lend(capacity) do |buffer|
          result = yield(buffer, capacity)
          return buffer.read_bytes(result).force_encoding(encoding) if result >= 0
          checked(result) if result != -E_BUFFER

          capacity = [yield(nil, 0), capacity].max
        end
        whole(encoding, capacity, &block)
      end

      # Yields memory of a size, for the block alone: other threads run meanwhile, and handlers of
      # signals, before what a call gave has been read. Other calls get it later.
      def lend(size)
        buffer = size > LENT ? FFI::MemoryPointer.new(:uint8, size, false) : spare
        yield(buffer)
      ensure
        SPARE.push(buffer) if buffer && size <= LENT
      end

      private

      def spare
        SPARE.empty? ? FFI::MemoryPointer.new(:uint8, LENT, false) : SPARE.pop(true)
      rescue ThreadError # another thread was faster
        retry
      end

      def bytes(text)
        bytes = String.try_convert(text.respond_to?(:to_path) ? text.to_path : text)
        raise TypeError, "a #{text.class} is no String" unless bytes || text.nil?

        bytes
      end
    end

    ATTACHED = Declarations::PROTOTYPES.select { |prototype| attach(prototype) }.freeze
  end
end
