# A program outside the project that uses the installed package: a handshake in memory.

require "flatssl"

def hold(condition, what)
  abort "not so: #{what}" unless condition
end

prefix = "#{File.realpath(ARGV.fetch(0))}/"
files = $LOADED_FEATURES.grep(%r{/flatssl(?:/|\.rb\z)}).map { |file| File.realpath(file) }
hold files.all? { |file| file.start_with?(prefix) }, "all of #{files} is below #{prefix}"
hold FlatSSL::COMPILED == (ENV.fetch("FLATSSL_COMPILED") == "1"), FlatSSL::REASON
client = FlatSSL::Connection.new_memory(FlatSSL::Context.new_client)
client.host = "localhost"
hello = "".b
client.pump { |out| hello << out }
hold hello.getbyte(0) == 22, "a client hello comes out"
