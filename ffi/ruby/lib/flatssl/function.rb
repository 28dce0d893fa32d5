# How a function of the library becomes a method, by rule.
#
# A handle goes in as its object, text and bytes as a String, a path or nil, a number as an Integer,
# true or false. A buffer with a capacity comes out whole, as a String; one whose length is the
# caller's choice takes that as an argument. What a function sets through a pointer is returned,
# after the buffer if there is one. What its comment says that it makes is an object, or nil for
# none. What it says is 1 or 0 is true or false, and the method ends in a question mark.

module FlatSSL
  class Function
    SLOTS = {
      "fssl_handle" => :handle, "int32_t" => :number, "int64_t" => :number,
      "const char *" => :text, "const uint8_t *" => :text,
      "char *" => :buffer, "uint8_t *" => :buffer,
      "int32_t *" => :cell, "int64_t *" => :cell
    }.freeze
    GIVEN = %i[handle number text].freeze # what the caller passes
    PAIRS = %i[text buffer].freeze # what takes two parameters, a pointer and a length
    ENCODINGS = { "char *" => Encoding::UTF_8, "uint8_t *" => Encoding::BINARY }.freeze
    CELLS = { "int32_t *" => :int32, "int64_t *" => :int64 }.freeze
    MAKES = /\bmakes an? /i.freeze
    ASKS = /\AReturns 1 (?:if|while) .*else 0/.freeze
    RETURNS = /\bReturns /.freeze
    FIRST_CAPACITY = 512

    attr_reader :name, :noun, :verb, :arity

    def initialize(prototype)
      @name = prototype.name.to_sym
      @noun, @verb = prototype.name.delete_prefix("fssl_").split("_", 2)
      @makes = MAKES.match?(prototype.comment)
      @asks = ASKS.match?(prototype.comment)
      @returns = RETURNS.match?(prototype.comment)
      first = prototype.parameters.first
      @receives = first.type == "fssl_handle" && first.name == @noun
      @slots = []
      @cells = []
      read(prototype.parameters[0...-1]) # err is left out: the result tells all
    end

    # Whether the rules fit: what writes into two buffers is done by hand.
    def by_rule?
      @slots.count(:buffer) < 2
    end

    # Whether it is a method of the object whose handle comes first, or one of the class.
    def receives?
      @receives
    end

    def method_name
      @asks ? "#{@verb.delete_prefix('is_')}?" : @verb
    end

    # The assignment that stands beside a method which sets one value.
    def writer_name
      "#{@verb.delete_prefix('set_')}=" if @receives && @arity == 2 && @verb.start_with?("set_")
    end

    # Calls it with the objects of Ruby, the receiver included.
    def call(*given)
      expect(given)
      capacity = @sized ? given.delete_at(@sized) : FIRST_CAPACITY
      cells = @cells.map { |type| FFI::MemoryPointer.new(type) }
      first = invoke(arguments(given, cells), capacity)
      results = @cells.zip(cells).map { |type, cell| cell.get(type, 0) }
      results.unshift(first) if results.empty? || @encoding || @returns
      results.size == 1 ? results.first : results
    end

    private

    # Notes what each parameter, or pair of them, stands for.
    def read(parameters)
      until parameters.empty?
        type = parameters.shift.type
        slot = SLOTS.fetch(type)
        size = parameters.shift if PAIRS.include?(slot)
        @cells << CELLS[type] if slot == :cell
        note_buffer(type, size) if slot == :buffer
        @slots << slot
      end
      @arity = given_before(@slots.size) + (@sized ? 1 : 0)
    end

    def note_buffer(type, size)
      @encoding = ENCODINGS[type]
      @buffer_at = @slots.sum { |slot| PAIRS.include?(slot) ? 2 : 1 }
      @sized = given_before(@slots.size) unless size.name == "cap"
    end

    def given_before(at)
      @slots.first(at).count { |slot| GIVEN.include?(slot) }
    end

    def expect(given)
      return if given.size == @arity

      hidden = @receives ? 1 : 0
      raise ::ArgumentError, "#{@name}: wrong number of arguments " \
                             "(given #{given.size - hidden}, expected #{@arity - hidden})"
    end

    def arguments(given, cells)
      given = given.dup
      cells = cells.dup
      @slots.flat_map do |slot|
        case slot
        when :handle then Handle.number(given.shift)
        when :number then Native.number(given.shift)
        when :text then Native.text(given.shift)
        when :buffer then [nil, 0]
        when :cell then cells.shift
        end
      end
    end

    def invoke(arguments, capacity)
      return finished(Native.call(@name, *arguments)) unless @encoding

      Native.whole(@encoding, capacity) do |*buffer|
        arguments[@buffer_at, 2] = buffer
        Native.attempt(@name, *arguments)
      end
    end

    def finished(result)
      return result == 1 if @asks

      @makes ? Handle.wrap(result) : result
    end
  end
end
