extension CompletionScript {
  var bash: [String] {
    var lines = [
      "# bash completion for rasa",
      "_rasa() {",
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"",
      "  local path=rasa index",
      "  for ((index = 1; index < COMP_CWORD; index++)); do",
      "    case \"$path/${COMP_WORDS[index]}\" in",
      "      \(pathPattern)) path=\"$path/${COMP_WORDS[index]}\" ;;",
      "    esac",
      "  done",
      "  COMPREPLY=()",
      "  case \"$path $previous\" in",
    ]
    for place in places {
      for (option, choices) in place.valueOptions {
        let pattern = option.spellings.map { "\"\(place.path) \($0)\"" }.joined(separator: "|")
        let list = choices.joined(separator: " ")
        let offer = "COMPREPLY=($(compgen -W \"\(list)\" -- \"$current\")); "
        lines.append("    \(pattern)) \(choices.isEmpty ? "" : offer)return ;;")
      }
    }
    lines += ["  esac", "  local words=", "  case \"$path\" in"]
    for place in places {
      let list = place.items.map(\.word).joined(separator: " ")
      lines.append("    \(place.path)) words=\"\(list)\" ;;")
    }
    lines += [
      "  esac",
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))",
      "}",
      "complete -o default -F _rasa rasa",
    ]
    return lines
  }

  var zsh: [String] {
    var lines = [
      "#compdef rasa",
      "_rasa() {",
      "  local command=rasa index",
      "  local -a items",
      "  for ((index = 2; index < CURRENT; index++)); do",
      "    case \"$command/${words[index]}\" in",
      "      \(pathPattern)) command=\"$command/${words[index]}\" ;;",
      "    esac",
      "  done",
      "  case \"$command ${words[CURRENT-1]}\" in",
    ]
    for place in places {
      for (option, choices) in place.valueOptions {
        let pattern = option.spellings.map { "\"\(place.path) \($0)\"" }.joined(separator: "|")
        let offer = choices.isEmpty ? "_files" : "compadd -- \(choices.joined(separator: " "))"
        lines.append("    \(pattern)) \(offer); return ;;")
      }
    }
    lines += ["  esac", "  case \"$command\" in"]
    for place in places {
      lines.append("    \(place.path)) items=(")
      for (word, help) in place.items {
        lines.append("      \(singleQuoted(help.isEmpty ? word : "\(word):\(help)"))")
      }
      lines.append("    ) ;;")
    }
    lines += [
      "  esac",
      "  _describe rasa items || _files",
      "}",
      // Found in $fpath, the file is the function's body; sourced, it has to say what it is for.
      "if [[ $funcstack[1] == _rasa ]]; then _rasa \"$@\"; else compdef _rasa rasa; fi",
    ]
    return lines
  }

  var fish: [String] {
    var lines = [
      "# fish completion for rasa",
      "function __rasa_at",
      "  set -l path rasa",
      "  for word in (commandline -opc)[2..-1]",
      "    switch $path/$word",
      "      case \(places.dropFirst().map(\.path).joined(separator: " "))",
      "        set path $path/$word",
      "    end",
      "  end",
      "  test $path = $argv[1]",
      "end",
    ]
    for place in places {
      let start = "complete -c rasa -n '__rasa_at \(place.path)'"
      for command in place.commands {
        lines.append("\(start) -f -a \(command.name) -d \(singleQuoted(command.summary))")
      }
      if !place.words.isEmpty {
        lines.append("\(start) -f -a '\(place.words.joined(separator: " "))'")
      }
      for option in place.options {
        let short = option.short.map { " -s \($0)" } ?? ""
        let values =
          if !option.offeredChoices.isEmpty {
            " -x -a '\(option.offeredChoices.joined(separator: " "))'"
          } else {
            option.placeholder == nil ? "" : " -r"
          }
        let help = " -d \(singleQuoted(option.help))"
        lines.append("\(start)\(short) -l \(option.name)\(values)\(help)")
        if option.isNegatable { lines.append("\(start) -l no-\(option.name)\(help)") }
      }
    }
    return lines
  }

  /// The text as one word, for zsh and (which allows it too) fish.
  private func singleQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
