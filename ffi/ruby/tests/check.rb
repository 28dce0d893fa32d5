# How the tests are written: test "name" { ... } runs its block at once and counts it; the checks
# raise. At the end: N passed, N failed, N skipped.

require "timeout"

module Check
  LIMIT = 60 # seconds, for one test

  class Failed < StandardError; end
  class Skipped < StandardError; end

  @counts = { passed: 0, failed: 0, skipped: 0 }

  class << self
    def run(name)
      Timeout.timeout(LIMIT) { yield }
      @counts[:passed] += 1
    rescue Skipped => reason
      puts "skipped: #{name}: #{reason.message}"
      @counts[:skipped] += 1
    rescue Exception => failure
      raise if failure.is_a?(Interrupt)

      puts "FAILED: #{name}: #{failure.class}: #{failure.message}", failure.backtrace.first(8)
      @counts[:failed] += 1
    end

    def finish
      puts @counts.map { |what, count| "#{count} #{what}" }.join(", ")
      @counts[:failed].zero?
    end
  end
end

def test(name, &block)
  Check.run(name, &block)
end

def skip(reason)
  raise Check::Skipped, reason
end

def check(condition, what = "it does not hold")
  raise Check::Failed, what unless condition
end

def equal(expected, found)
  raise Check::Failed, "#{found.inspect}, not #{expected.inspect}" unless expected == found
end

# Checks that the block raises this very class, and returns the exception.
def raises(error_class)
  yield
rescue error_class => error
  equal(error_class, error.class)
  error
else
  raise Check::Failed, "no #{error_class} was raised"
end
