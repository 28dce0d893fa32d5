# The header is read whole, and every function that it declares has its method.

HEADER = File.read(FlatSSL::Declarations.path, encoding: "UTF-8")
PLAIN = HEADER.gsub(FlatSSL::Declarations::COMMENT, " ")

test "every prototype is read" do
  names = PLAIN.scan(/\b(fssl_\w+)\s*\([^)]*int32_t \*err\)/).flatten
  check names.size > 100
  equal names, FlatSSL::Declarations::PROTOTYPES.map(&:name)
end

test "every constant is read as a C compiler reads it" do
  names = PLAIN.scan(/\bFSSL_\w+(?=\s*[=,}])/)
  equal names, FlatSSL::Declarations::CONSTANTS.keys
  asserts = FlatSSL::Declarations::CONSTANTS.map do |name, value|
    "_Static_assert(#{name} == #{value}, \"#{name}\");"
  end
  skip "no cc" unless system("cc --version", out: File::NULL, err: File::NULL)
  source = ["#include <stdint.h>", HEADER, *asserts].join("\n")
  said, status = Open3.capture2e("cc", "-std=c11", "-fsyntax-only", "-x", "c", "-",
                                 stdin_data: source)
  check status.success?, said
end

test "what is left out takes a function" do
  left = FlatSSL::Declarations::PROTOTYPES - FlatSSL::Native::ATTACHED
  left.each do |prototype|
    types = prototype.parameters.map(&:type)
    check types.any? { |type| type.end_with?("_callback") }, "#{prototype.name} is left out"
  end
end

test "every function has its method" do
  FlatSSL::Native::ATTACHED.each do |prototype|
    function = FlatSSL::Function.new(prototype)
    check function.by_rule? || %w[pump seal].include?(function.verb), prototype.name
    next if FlatSSL::Nouns::BY_HAND.include?(function.noun) # in Error and Handle

    type = FlatSSL::Declarations::CONSTANTS["FSSL_TYPE_#{function.noun.upcase}"]
    owner = type ? FlatSSL::Handle::CLASSES[type] : FlatSSL.const_get(function.noun.capitalize)
    names = [function.method_name, "#{function.noun}_#{function.method_name}"].map(&:to_sym)
    found = names.any? do |name|
      function.receives? ? owner.method_defined?(name) : owner.respond_to?(name)
    end
    check found, "#{prototype.name} has no method in #{owner}"
  end
end

test "implicit and negative values" do
  constants, = FlatSSL::Declarations.parse("enum { A, B = 0x10, /* , */ C, D = -2 };")
  equal({ "A" => 0, "B" => 16, "C" => 17, "D" => -2 }, constants)
end

test "a function that the library lacks is left out" do
  _, prototypes = FlatSSL::Declarations.parse("int64_t fssl_no_such(int32_t *err);")
  equal 1, prototypes.size
  equal false, FlatSSL::Native.attach(prototypes.first)
end
