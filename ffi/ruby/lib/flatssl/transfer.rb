# In which form a connection's data is carried: by the module in C, flatssl/core, where that was
# built, and else by the methods of objects.rb, which do the same through the ffi gem.
# FLATSSL_COMPILED=0 asks for the latter, 1 refuses it.

module FlatSSL
  FORM = 1 # of what core.c and these files know of each other

  class << self
    private

    # Returns the module in C, or nil, and why it is not used.
    def compiled
      wish = ENV["FLATSSL_COMPILED"]
      return [nil, "FLATSSL_COMPILED=0 asks for the form without C"] if wish == "0"

      require "flatssl/core"
      form = Core.const_defined?(:FORM, false) ? Core::FORM : "none"
      raise LoadError, "flatssl/core is of form #{form}, not #{FORM}: build it anew" if form != FORM

      [Core.attach { |name| Native.address(name) }, ""]
    rescue LoadError => error
      raise if wish == "1"

      [nil, error.message]
    end
  end

  core, reason = compiled
  Connection.prepend(core) if core

  # Whether the module in C is used, and why not: empty where it is.
  COMPILED = !core.nil?
  REASON = reason.freeze
end
