# The exceptions: a class for each code, below one for each kind, named by rule. FSSL_E_HOST is
# FlatSSL::HostError, a FlatSSL::CertificateError, since its kind is FSSL_KIND_CERTIFICATE.

module FlatSSL
  # What every failure of the library raises.
  class Error < StandardError
    # One line of what the library or OpenSSL recorded.
    Line = Struct.new(:library, :function, :reason, :data, :file, :line)

    SPELLED = { "EOF" => "EOF", "OPENSSL" => "OpenSSL", "TLS" => "TLS" }.freeze
    NUMBERS = { errno: ERROR_ERRNO, alert: ERROR_ALERT, verify_code: ERROR_VERIFY_CODE }.freeze
    TEXTS = [ERROR_LIBRARY, ERROR_FUNCTION, ERROR_REASON, ERROR_DATA, ERROR_SOURCE_FILE].freeze
    KIND_STEP = 100
    FIRST_RECORD = 65_536 # a result nearer to 0 is the code itself and has no record

    # The E_ code. What it is by kind, code / 100, is told by the class.
    attr_reader :code
    # The errno, the alert that the peer sent and the X509_V_ code behind it; nil for none.
    attr_reader :errno, :alert, :verify_code
    # The record's lines, the first cause first.
    attr_reader :lines
    # How many bytes write had sent before it failed.
    attr_accessor :sent

    def initialize(message = nil, code: nil, lines: [], errno: nil, alert: nil, verify_code: nil)
      super(message)
      @code = code
      @lines = lines
      @errno = errno
      @alert = alert
      @verify_code = verify_code
    end

    class << self
      # Makes the exception for a negative result, which alone tells all.
      def from_result(result)
        return of_record(result) if result <= -FIRST_RECORD

        message = (MESSAGES[-result] ||= message_of(result).freeze) # wants are frequent
        class_of(-result).new(message, code: -result)
      end

      private

      def of_record(result)
        code = Native.fssl_error_code(result, nil)
        class_of(code).new(message_of(result), code: code, lines: lines(result), **numbers(result))
      end

      def class_of(code)
        CODES[code] || KINDS[code / KIND_STEP] || Error
      end

      def message_of(result)
        text { |*buffer| Native.fssl_error_text(result, *buffer, nil) }
      end

      # A text of a record, empty where it has been overwritten meanwhile.
      def text
        Native.whole(Encoding::UTF_8, 1024) do |buffer, capacity|
          result = yield(buffer, capacity)
          result == -E_BUFFER ? result : [result, 0].max
        end
      end

      def number(result, field, line = 0)
        value = FFI::MemoryPointer.new(:int64)
        value.write_int64(-1)
        Native.fssl_error_int(result, field, line, value, nil)
        value.read_int64 unless value.read_int64 == -1
      end

      def numbers(result)
        NUMBERS.transform_values { |field| number(result, field) }
      end

      def lines(result)
        Array.new([Native.fssl_error_count(result, nil), 0].max) do |at|
          texts = TEXTS.map do |field|
            text { |*buffer| Native.fssl_error_str(result, field, at, *buffer, nil) }
          end
          Line.new(*texts, number(result, ERROR_SOURCE_LINE, at))
        end
      end

      # Makes the classes of all constants with a prefix: {value => class}.
      def classes(prefix)
        names = Declarations::CONSTANTS.select { |name, _| name.start_with?(prefix) }
        names.to_h do |name, value|
          [value, named(name.delete_prefix(prefix), yield(value))]
        end
      end

      # FSSL_E_TLS is named as its kind, and shares the kind's class.
      def named(name, superclass)
        words = name.split("_").map { |word| SPELLED.fetch(word, word.capitalize) }
        name = "#{words.join}Error"
        return FlatSSL.const_get(name, false) if FlatSSL.const_defined?(name, false)

        FlatSSL.const_set(name, Class.new(superclass))
      end
    end

    KINDS = classes("FSSL_KIND_") { self }.freeze
    CODES = classes("FSSL_E_") { |code| KINDS.fetch(code / KIND_STEP) }.freeze
    MESSAGES = {} # by codes; they never change
    private_constant :KINDS, :CODES, :MESSAGES
  end
end
