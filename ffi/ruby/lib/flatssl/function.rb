# How a function of the library becomes a method, by rule.
#
# A handle goes in as its object, text and bytes as a String, a path or nil, a number as an Integer,
# true or false. A buffer with a capacity comes out whole, as a String; one whose length is the
# caller's choice takes that as an argument. What a function sets through a pointer is returned,
# after the buffer if there is one. What its comment says that it makes is an object, or nil for
# none; with a block, that gets the object, which is closed then. What it says is 1 or 0 is true or
# false, and the method ends in a question mark.
#
# The methods are written as Ruby, since a call that finds its way through rules costs ten times
# what the library's own does.

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
    ENCODINGS = { "char *" => "UTF_8", "uint8_t *" => "BINARY" }.freeze
    CELLS = { "int32_t *" => "int32", "int64_t *" => "int64" }.freeze
    MAKES = /\bmakes an? /i.freeze
    ASKS = /\AReturns 1 (?:if|while) .*else 0/.freeze
    RETURNS = /\bReturns /.freeze
    FIRST_CAPACITY = 512

    # How an argument is taken, and what is passed on.
    TAKE = {
      handle: "h = Handle.number(a)", number: "n = Native.number(a)", text: "t = Native.text(a)"
    }.freeze
    PASS = {
      handle: "h", number: "n", text: "t, t ? t.bytesize : 0", buffer: "buffer, room", cell: "c"
    }.freeze

    attr_reader :name, :noun, :verb

    def initialize(prototype)
      @name = prototype.name
      @noun, @verb = @name.delete_prefix("fssl_").split("_", 2)
      @makes = MAKES.match?(prototype.comment)
      @asks = ASKS.match?(prototype.comment)
      @returns = RETURNS.match?(prototype.comment)
      first = prototype.parameters.first
      @receives = first.type == "fssl_handle" && first.name == @noun
      @slots = []
      @cells = {}
      read(prototype.parameters[0...-1]) # err is left out: the result tells all
    end

    # Whether the rules fit: a buffer of which the result is not the length is filled by hand.
    def by_rule?
      !@given
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
      "#{@verb.delete_prefix('set_')}=" if @receives && arity == 1 && @verb.start_with?("set_")
    end

    # How many arguments the method takes.
    def arity
      given.size + (@sized ? 1 : 0)
    end

    # The method, in Ruby.
    def source(name)
      <<~RUBY
        def #{name}(#{[*arguments, *('&block' if @makes)].join(', ')})
          #{[*takes, *cells].join('; ')}
          #{@encoding ? whole : call}
          #{results}
        end
      RUBY
    end

    private

    # Notes what each parameter, or pair of them, stands for.
    def read(parameters)
      until parameters.empty?
        type, name = *parameters.shift
        slot = SLOTS.fetch(type)
        @given = true if name == "given"
        size = parameters.shift if PAIRS.include?(slot)
        @cells[@slots.size] = CELLS[type] if slot == :cell
        note_buffer(type, size) if slot == :buffer
        @slots << slot
      end
    end

    def note_buffer(type, size)
      @encoding = ENCODINGS[type]
      @sized = given.size unless size.name == "cap"
    end

    # The places of the slots that are arguments; the receiver is none.
    def given
      @slots.each_index.select { |at| GIVEN.include?(@slots[at]) && !(at.zero? && @receives) }
    end

    def arguments
      given.map { |at| "a#{at}" }.tap { |names| names.insert(@sized, "capacity") if @sized }
    end

    def takes
      given.map { |at| numbered(TAKE[@slots[at]], at) }
    end

    def cells
      @cells.map { |at, type| "c#{at} = FFI::MemoryPointer.new(:#{type})" }
    end

    def numbered(text, at)
      text.gsub(/\b[ahntc]\b/) { |letter| "#{letter}#{at}" }
    end

    # The call, again where a signal ended it: then Ruby has run its handlers, or raised in this
    # thread.
    def attempt
      passed = @slots.each_with_index.map do |slot, at|
        at.zero? && @receives ? "@handle" : numbered(PASS[slot], at)
      end
      call = "result = Native.#{@name}(#{[*passed, 'nil'].join(', ')})"
      "#{call}; #{call} while result == -E_INTERRUPTED"
    end

    def call
      "#{attempt}; Native.checked(result)"
    end

    def whole
      capacity = @sized ? "capacity" : FIRST_CAPACITY
      "result = Native.whole(Encoding::#{@encoding}, #{capacity}) " \
        "{ |buffer, room| #{attempt}; result }"
    end

    def results
      cells = @cells.map { |at, type| "c#{at}.read_#{type}" }
      return "[#{[*('result' if @encoding || @returns), *cells].join(', ')}]" if list?
      return cells.first unless cells.empty?
      return "result == 1" if @asks

      @makes ? "made = Handle.wrap(result); block && made ? made.use(&block) : made" : "result"
    end

    # Whether it gives more than one value.
    def list?
      @cells.size + (@encoding || @returns ? 1 : 0) > 1 && !@cells.empty?
    end
  end
end
