# The base of every object, and the classes, each with the methods of its noun's functions.

module FlatSSL
  # One handle of the library. It is closed by close, or when nobody holds the object any more.
  class Handle
    # The number by which the library knows the object.
    attr_reader :handle

    private_class_method :new

    class << self
      # Makes the object of a new handle, of whatever type; nil of 0.
      def wrap(number)
        return if number.zero?

        object = CLASSES.fetch(Native.fssl_handle_type(number, nil), Handle).allocate
        object.__send__(:own, number)
        object
      end

      # The number of an object, 0 of nil.
      def number(object)
        case object
        when nil then 0
        when Handle then object.handle
        else raise TypeError, "a #{object.class} is no FlatSSL::Handle"
        end
      end

      # What the garbage collector runs. It must not know the object, or that would live for ever.
      def closer(number)
        proc { Native.fssl_handle_close(number, nil) }
      end
    end

    # Closes the handle. Closing twice is no error.
    def close
      ObjectSpace.undefine_finalizer(self)
      Native.fssl_handle_close(@handle, nil)
      @closed = true
      nil
    end

    def closed?
      @closed
    end

    # Yields the object and closes it. Returns what the block does.
    def use
      yield self
    ensure
      close
    end

    # Whether both are the same object of the library.
    def ==(other)
      equal?(other) ||
        (other.is_a?(Handle) && Native.fssl_handle_same(@handle, other.handle, nil) == 1)
    end

    def inspect
      "#<#{self.class} #{@handle}#{' closed' if @closed}>"
    end

    private

    def own(number)
      @handle = number
      @closed = false
      ObjectSpace.define_finalizer(self, Handle.closer(number))
    end

    def initialize_copy(_original)
      raise TypeError, "cannot copy a #{self.class}"
    end
  end

  # Makes a class of each type of handle, and a module of each noun that has none.
  module Nouns
    # Those that are not simply spelled as the type is.
    NAMES = {
      "CTX" => "Context", "CONN" => "Connection", "CERT" => "Certificate", "EXT" => "Extension",
      "REQ" => "Request", "CRL" => "CRL", "PKCS7" => "PKCS7", "PKCS12" => "PKCS12",
      "SPKI" => "SPKI"
    }.freeze

    BY_HAND = %w[error handle].freeze # in Error and Handle

    # Ruby's own methods, which none by rule may replace: such a one keeps its noun (name_hash).
    RESERVED = %w[class hash method methods name object_id].freeze

    class << self
      def classes
        types = Declarations::CONSTANTS.select { |name, _| name.start_with?("FSSL_TYPE_") }
        types.reject { |_, value| value == TYPE_ANY }.to_h do |name, value|
          [value, type_class(name.delete_prefix("FSSL_TYPE_"), value)]
        end
      end

      # Gives the methods to a class or module. They go into modules of their own, so that one by
      # hand can call the one by rule with super.
      def give(noun, functions)
        owner = owner_of(noun)
        of_object, of_class = functions.partition(&:receives?)
        owner.include(Module.new { of_object.each { |function| Nouns.define(self, function) } })
        owner.extend(Module.new { of_class.each { |function| Nouns.define(self, function) } })
      end

      # A method is written when it is first called: most programs use few of them.
      def define(owner, function)
        name = function.method_name
        name = "#{function.noun}_#{name}" if RESERVED.include?(name)
        [name, function.writer_name].compact.each do |each|
          owner.define_method(each) do |*given, &block|
            Nouns.write(owner, function, each)
            owner.instance_method(each).bind_call(self, *given, &block)
          end
        end
      end

      def write(owner, function, name)
        owner.alias_method(name, name) # then Ruby does not warn that it is replaced
        owner.class_eval(function.source(name), function.name)
      end

      private

      def type_class(name, value)
        made = FlatSSL.const_set(NAMES.fetch(name, name.capitalize), Class.new(Handle))
        made.const_set(:TYPE, value)
        made
      end

      def owner_of(noun)
        type = Declarations::CONSTANTS["FSSL_TYPE_#{noun.upcase}"]
        return Handle::CLASSES[type] if type

        FlatSSL.const_set(noun.capitalize, Module.new)
      end
    end
  end

  Handle::CLASSES = Nouns.classes.freeze

  functions = Native::ATTACHED.map { |prototype| Function.new(prototype) }
  functions.select(&:by_rule?).group_by(&:noun).each do |noun, of_noun|
    Nouns.give(noun, of_noun) unless Nouns::BY_HAND.include?(noun)
  end
end
