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

      # Calls a function, err left out. Returns its result or raises.
      def call(name, *arguments)
        result = attempt(name, *arguments)
        raise Error.from_result(result) if result < 0

        result
      end

      # Calls a function and returns its result, be it a failure. A signal ends a wait: then Ruby
      # has run its handlers, or raised in this thread, before the call is made again.
      def attempt(name, *arguments)
        result = public_send(name, *arguments, nil)
        result = public_send(name, *arguments, nil) while result == -E_INTERRUPTED
        result
      end

      # Pointer and length of a text's bytes as they are when the call begins: other threads run
      # during it, and may change the string.
      def text(text)
        return [nil, 0] if text.nil?

        bytes = String.try_convert(text.respond_to?(:to_path) ? text.to_path : text)
        raise TypeError, "a #{text.class} is no String" unless bytes

        bytes = bytes.dup.freeze unless bytes.frozen?
        [bytes, bytes.bytesize]
      end

      def number(value)
        case value
        when true then 1
        when false then 0
        else value # ffi refuses what is no number or does not fit
        end
      end

      # Reads a whole text or bytes: block is called with buffer and capacity, and calls.
      def whole(encoding = Encoding::BINARY, capacity = 512)
        loop do
          buffer = FFI::MemoryPointer.new(:uint8, capacity, false)
          result = yield(buffer, capacity)
          if result >= 0
            return buffer.read_bytes(result).force_encoding(encoding)
          elsif result != -E_BUFFER
            raise Error.from_result(result)
          end
          capacity = [yield(nil, 0), capacity].max
        end
      end
    end

    ATTACHED = Declarations::PROTOTYPES.select { |prototype| attach(prototype) }.freeze
  end
end
