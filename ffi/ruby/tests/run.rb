# The tests of the Ruby binding: ruby ffi/ruby/tests/run.rb [file...]. The last line sums them up.

$LOAD_PATH.unshift File.expand_path("../lib", __dir__)
require "flatssl"
require_relative "check"
require_relative "peers"

$stdout.sync = true
Thread.report_on_exception = false
Peers.start
chosen = ARGV.map { |name| "test_#{name}.rb" }
Dir[File.join(__dir__, "test_*.rb")].sort.each do |file|
  require file if chosen.empty? || chosen.include?(File.basename(file))
end
exit Check.finish
