# Which form carries data: the one that was asked for, and else C where that was built.

LIBRARY = File.expand_path("../lib", __dir__)
TELL = "require 'flatssl'; print FlatSSL::COMPILED, ' ', FlatSSL::REASON"

# Returns what a program of its own says, for which Ruby looks in these folders.
def chosen(folders, wish)
  environment = { "RUBYLIB" => folders.join(File::PATH_SEPARATOR), "FLATSSL_COMPILED" => wish }
  said, status = Open3.capture2e(environment, RbConfig.ruby, "-e", TELL)
  [status.success?, said]
end

test "the form that was asked for carries data" do
  equal FlatSSL::COMPILED, FlatSSL::REASON.empty?
  equal FlatSSL::COMPILED, FlatSSL::Connection.ancestors.first.name == "FlatSSL::Core"
  wish = ENV.fetch("FLATSSL_COMPILED", "")
  equal wish == "1", FlatSSL::COMPILED unless wish.empty?
end

test "without the module in C" do
  done, said = chosen([LIBRARY], "")
  equal [true, "false cannot load such file -- flatssl/core"], [done, said]
  done, said = chosen([LIBRARY], "1")
  equal false, done
  check said.include?("cannot load such file -- flatssl/core"), said
  equal [true, "false FLATSSL_COMPILED=0 asks for the form without C"], chosen([LIBRARY], "0")
end

test "with a module that is another" do
  Dir.mktmpdir do |folder|
    Dir.mkdir("#{folder}/flatssl")
    { "0" => "FORM = 0; ", "none" => "" }.each do |form, line|
      File.write("#{folder}/flatssl/core.rb", "module FlatSSL::Core; #{line}end")
      said = "false flatssl/core is of form #{form}, not #{FlatSSL::FORM}: build it anew"
      equal [true, said], chosen([folder, LIBRARY], "")
    end
  end
end
