# Reads flatssl_decl.h, where every function and constant is declared, once when the binding is
# loaded. There is no second copy of it.

module FlatSSL
  module Declarations
    Parameter = Struct.new(:type, :name)
    Prototype = Struct.new(:name, :parameters, :comment)

    NAME = "flatssl_decl.h".freeze
    COMMENT = %r{/\*.*?\*/}m
    DECLARATION = /(?<comment>#{COMMENT})|
                   \benum\s*\w*\s*\{(?<members>[^}]*)\}|
                   \bint64_t\s+(?<name>fssl_\w+)\s*\((?<parameters>[^;{}]*)\)\s*;/mx
    MEMBER = /(\w+)\s*(?:=\s*(-?\w+)\s*)?(?:,|\z)/

    class << self
      # Where FLATSSL_HEADER says, in the tree of the sources, beside this file, where installed.
      def path
        given = ENV["FLATSSL_HEADER"]
        folders = [File.expand_path("../../../../abi", __dir__), __dir__,
                   "/usr/local/include", "/usr/include"]
        places = given ? [given] : folders.map { |folder| File.join(folder, NAME) }
        places.find { |place| File.file?(place) } ||
          raise(LoadError, "flatssl: no #{NAME} at #{places.join(', ')}")
      end

      # Returns {name => value} and the prototypes, in the order of the header.
      def parse(header)
        constants = {}
        prototypes = []
        comment = ""
        header.scan(DECLARATION) do
          match = Regexp.last_match
          comment, before = plain(match[:comment].to_s), comment
          constants.update(members(match[:members])) if match[:members]
          prototypes << prototype(match, before) if match[:name]
        end
        [constants, prototypes]
      end

      private

      def plain(comment)
        comment.delete_prefix("/*").delete_suffix("*/").split.join(" ")
      end

      def members(text)
        last = -1
        text.gsub(COMMENT, "").scan(MEMBER).to_h do |name, value|
          last = value ? Integer(value) : last + 1
          [name, last]
        end
      end

      def prototype(match, comment)
        parameters = match[:parameters].split(",").map do |text|
          type, name = text.split.join(" ").match(/\A(.*?)(\w+)\z/).captures
          Parameter.new(type.strip, name)
        end
        Prototype.new(match[:name], parameters, comment)
      end
    end

    CONSTANTS, PROTOTYPES = parse(File.read(path, encoding: "UTF-8")).map(&:freeze)
  end

  # FSSL_VERIFY_PEER is FlatSSL::VERIFY_PEER.
  Declarations::CONSTANTS.each { |name, value| const_set(name.delete_prefix("FSSL_"), value) }
end
